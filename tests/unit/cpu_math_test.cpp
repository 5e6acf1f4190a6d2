// SPDX-License-Identifier: Apache-2.0
//
// The exp and tanh of the CPU backend and its maximum-subtracting softmax, in every lane on every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "unit/cpu_math_test.cpp"
#include <hwy/foreach_target.h>
// These headers must follow foreach_target.h, which compiles this file once for each instruction set.
#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "cpu/math-inl.h"
#include "cpu/rows-inl.h"
#include "cpu/softmax-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attn::internal::cpu::HWY_NAMESPACE {
namespace {

// These functions replace `count` values in place.
void exp_of(float* values, std::int64_t count) {
  for_vectors(count, [&](auto access, std::int64_t at)
                         HWY_ATTR { access.store(exp(Float(), access.load(values + at)), values + at); });
}

void tanh_of(float* values, std::int64_t count) {
  for_vectors(count, [&](auto access, std::int64_t at)
                         HWY_ATTR { access.store(tanh(Float(), access.load(values + at)), values + at); });
}

// Replaces a tile of scores, `count` of them valid, by exp(e - max), and returns the sum of the results.
float softmax_of(float* e, std::int64_t count) {
  Running running;
  softmax_tile(count, e, running);
  return running.sum;
}

std::int64_t lanes_of() { return lanes(); }

bool has_fma() { return HWY_NATIVE_FMA != 0; }

}  // namespace
}  // namespace attn::internal::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attn::internal::cpu {
namespace {

HWY_EXPORT(exp_of);
HWY_EXPORT(tanh_of);
HWY_EXPORT(softmax_of);
HWY_EXPORT(lanes_of);
HWY_EXPORT(has_fma);

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

float from_bits(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

std::uint32_t to_bits(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// The distance between `got` and `exact` in fp32 units in the last place, including subnormal numbers.
double ulp_error(float got, double exact) {
  const auto rounded = static_cast<float>(exact);
  if (std::isnan(exact) || std::isnan(got)) return std::isnan(exact) == std::isnan(got) ? 0 : kInfinity;
  if (std::isinf(rounded) || std::isinf(got)) return rounded == got ? 0 : kInfinity;
  if (exact == 0) return got == 0 ? 0 : kInfinity;
  const int exponent = std::max(std::ilogb(exact), -126);
  return std::abs(got - exact) / std::ldexp(1.0, exponent - 23);
}

class CpuMath : public ::testing::TestWithParam<std::int64_t> {
 protected:
  void SetUp() override { choose(GetParam()); }
  void TearDown() override { choose(0); }

  static void choose(std::int64_t target) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }

  static std::vector<float> exp(std::vector<float> x) {
    HWY_DYNAMIC_DISPATCH(exp_of)(x.data(), static_cast<std::int64_t>(x.size()));
    return x;
  }
  static std::vector<float> tanh(std::vector<float> x) {
    HWY_DYNAMIC_DISPATCH(tanh_of)(x.data(), static_cast<std::int64_t>(x.size()));
    return x;
  }

  // The largest error over every stride-th float with a magnitude from `low` to `high`, of both signs.
  template <class Function, class Exact>
  static double worst_error(Function function, Exact exact, float low, float high, std::uint32_t stride) {
    std::vector<float> x;
    for (std::uint32_t bits = to_bits(low); bits <= to_bits(high); bits += stride) {
      x.push_back(from_bits(bits));
      x.push_back(-x.back());
    }
    const std::vector<float> got = function(x);
    double worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
      worst = std::max(worst, ulp_error(got[i], exact(static_cast<double>(x[i]))));
    return worst;
  }
};

double exact_tanh(double x) { return std::tanh(x); }
double exact_exp(double x) { return std::exp(x); }

TEST_P(CpuMath, TanhIsAsAccurateAsStated) {
  const double bound = HWY_DYNAMIC_DISPATCH(has_fma)() ? 5.4 : 6.7;
  EXPECT_LE(worst_error(tanh, exact_tanh, 0.25f, 9.5f, 61), bound);
  EXPECT_LE(worst_error(tanh, exact_tanh, 0.0f, kInfinity, 4999), bound);
}

TEST_P(CpuMath, ExpIsAsAccurateAsStated) {
  EXPECT_LE(worst_error(exp, exact_exp, 0.0f, kInfinity, 4999), 1);
  EXPECT_LE(worst_error(exp, exact_exp, 86.0f, 90.0f, 7), 1);    // near the smallest and largest normal results
  EXPECT_LE(worst_error(exp, exact_exp, 102.0f, 105.0f, 7), 1);  // the smallest subnormal results
}

TEST_P(CpuMath, TanhNearZeroIsItsArgument) {
  const std::vector<float> x = {0.0f, -0.0f, from_bits(1), -from_bits(1), from_bits(0x7fffff), 1e-38f, -1e-20f};
  const std::vector<float> got = tanh(x);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(to_bits(got[i]), to_bits(x[i])) << x[i];
}

// Puts one special value at a time into each place of some vectors and a tail; the other places must keep their
// results.
TEST_P(CpuMath, SpecialsInEveryLane) {
  const auto lanes = static_cast<std::size_t>(HWY_DYNAMIC_DISPATCH(lanes_of)());
  const std::vector<float> plain(3 * lanes - 1, 0.5f), plain_exp = exp(plain), plain_tanh = tanh(plain);
  for (float special : {kNan, -kNan, kInfinity, -kInfinity, 3e38f, -3e38f})
    for (std::size_t place = 0; place < plain.size(); ++place) {
      SCOPED_TRACE(special);
      SCOPED_TRACE(place);
      std::vector<float> x = plain, expected_exp = plain_exp, expected_tanh = plain_tanh;
      x[place] = special;
      expected_exp[place] = std::exp(special);
      expected_tanh[place] = std::tanh(special);
      const std::vector<float> got_exp = exp(x), got_tanh = tanh(x);
      for (std::size_t i = 0; i < x.size(); ++i) {
        EXPECT_EQ(ulp_error(got_exp[i], expected_exp[i]), 0) << i;
        EXPECT_EQ(ulp_error(got_tanh[i], expected_tanh[i]), 0) << i;
      }
    }
}

TEST_P(CpuMath, SoftmaxOfATileOfAnyLength) {
  for (std::int64_t count = 1; count <= kTileKeys; ++count) {
    alignas(64) float e[kTileKeys];
    double exact = 0;
    for (std::int64_t j = 0; j < count; ++j) {
      e[j] = 100 - 0.25f * static_cast<float>((j + 7) % count);
      exact += std::exp(-0.25 * static_cast<double>((j + 7) % count));
    }
    EXPECT_NEAR(HWY_DYNAMIC_DISPATCH(softmax_of)(e, count), exact, 1e-6 * exact) << count;
  }
}

TEST_P(CpuMath, NanAndInfinityInAnyPlaceMakeTheSumNan) {
  for (float special : {kNan, kInfinity})
    for (std::int64_t count : {std::int64_t{13}, kTileKeys})
      for (std::int64_t place = 0; place < count; ++place) {
        alignas(64) float e[kTileKeys];
        std::fill(e, e + count, 1.0f);
        e[place] = special;
        EXPECT_TRUE(std::isnan(HWY_DYNAMIC_DISPATCH(softmax_of)(e, count))) << special << " at " << place;
      }
}

TEST_P(CpuMath, MinusInfinityHasNoWeight) {
  for (std::int64_t place = 0; place < 13; ++place) {
    alignas(64) float e[kTileKeys];
    std::fill(e, e + 13, 1.0f);
    e[place] = -kInfinity;
    EXPECT_EQ(HWY_DYNAMIC_DISPATCH(softmax_of)(e, 13), 12.0f) << place;
    EXPECT_EQ(e[place], 0.0f);
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, CpuMath, ::testing::ValuesIn(hwy::SupportedAndGeneratedTargets()),
                         [](const auto& target) { return std::string(hwy::TargetName(target.param)); });

}  // namespace
}  // namespace attn::internal::cpu
#endif
