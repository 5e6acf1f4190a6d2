// SPDX-License-Identifier: Apache-2.0
//
// Tests how mma.sync rounds the sum of products in an fp32 accumulator. src/exec/instructions/tensor_cores.h describes
// the rules and where they were published; they depend on the GPU, not on the PTX.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "elementwise.cuh"
#include "mma_products.cuh"

namespace mma_rounding_test {

using namespace mma;
using conformance::architecture;
using conformance::code_architecture;

constexpr double kUnit = 0x1p-23;  // the distance from 1 to the next float

bool is_hopper_or_later() { return architecture() >= 90; }

// Bits of an aligned addend beyond the 24 of fp32.
int extra_bits() { return is_hopper_or_later() ? 2 : 1; }

// The number of products that are added to the accumulator at once.
template <class Op>
int products_at_once() {
  return std::min(Op::kK, (is_hopper_or_later() ? 32 : 16) * 8 / Op::A::kBits);
}

// Returns whether the exponents of the factors reach as far as those of fp32, unlike those of fp16.
template <class Op>
bool has_wide_factors() {
  return Op::A::value(Op::A::bits(0x1p100)) == 0x1p100;
}

// Calls f with an object of each instruction's type.
template <class F>
void for_each_type(F f) {
  f(TensorK8{});
  f(TensorK4{});
  f(HalfK16{});
  f(HalfK8{});
  f(BrainK16{});
  f(BrainK8{});
}

// Returns a sum with an fp32 accumulator: c plus the squares of these numbers, negated where the number is negative.
template <class Op>
double sum_of_squares(const std::vector<double>& roots, double c) {
  std::vector<double> magnitudes;
  for (const double root : roots) magnitudes.push_back(std::fabs(root));
  return dot_of<Op>(roots, magnitudes, c);
}

class MmaRounding : public testing::Test {
 protected:
  void SetUp() override {
    if (code_architecture() < 80) GTEST_SKIP() << "bf16 and tf32 are of sm_80 and later";
  }
};

// To the nearest float, the first two results would be 1 + 2^-23 and the negative of that; rounded down, the second.
TEST_F(MmaRounding, SumsAreRoundedTowardZero) {
  for_each_type([](auto op) {
    using Op = decltype(op);
    EXPECT_EQ(dot_of<Op>({0x1.8p-12}, {0x1p-12}, 1), 1);
    EXPECT_EQ(dot_of<Op>({-0x1.8p-12}, {0x1p-12}, -1), -1);
    EXPECT_EQ(dot_of<Op>({0x1.8p-12}, {0x1p-11}, 1), 1 + kUnit);
    EXPECT_EQ(dot_of<Op>({-0x1.8p-12}, {0x1p-11}, -1), -1 - kUnit);
  });
}

// Each addend loses the bits below those of an addend next to 1, although the exact sum of what is lost would change
// the result.
TEST_F(MmaRounding, SmallAddendsAreLostOneByOne) {
  for_each_type([](auto op) {
    using Op = decltype(op);
    const double lost = 0x1.4p-13, kept = 0x1.8p-24;
    EXPECT_EQ(sum_of_squares<Op>({lost, lost, lost, lost}, 0x1p-3), 0x1p-3 + kept);
    EXPECT_EQ(sum_of_squares<Op>({lost, lost, lost, lost}, 1), 1);
    EXPECT_EQ(sum_of_squares<Op>({-lost, -lost, -lost, -lost}, 1), 1);
    EXPECT_EQ(sum_of_squares<Op>({-lost, -lost, -lost, -lost}, -1), -1);
    EXPECT_EQ(sum_of_squares<Op>({1, lost, lost, lost}, lost * lost), 1);
  });
}

TEST_F(MmaRounding, ExtraBitsAreKept) {
  const double last = std::ldexp(1.0, -23 - extra_bits());
  for_each_type([&](auto op) {
    using Op = decltype(op);
    EXPECT_EQ(dot_of<Op>({last * 0x1p12, last * 0x1p12}, {0x1p-12, 0x1p-12}, -1), -1 + 2 * last);
    EXPECT_EQ(dot_of<Op>({1, last * 0x1p12}, {1, 0x1p-12}, -1), last);
    EXPECT_EQ(dot_of<Op>({1, last * 0x1p12}, {1, 0x1p-13}, -1), 0);
    EXPECT_EQ(dot_of<Op>({1, last * 0x1p12}, {1, -0x1.8p-12}, -1), -last);
    EXPECT_EQ(dot_of<Op>({1}, {1}, -0.75 * last), 1);
  });
}

// Factors of 1 <= x < 2 are multiplied to 1 <= xy < 4, which counts as exponent 0 even where xy >= 2. C has the
// exponent of its value.
TEST_F(MmaRounding, ProductsAreAlignedByTheExponentsOfTheirFactors) {
  const double last = std::ldexp(1.0, -23 - extra_bits());
  for_each_type([&](auto op) {
    using Op = decltype(op);
    EXPECT_EQ(dot_of<Op>({1.5, -1.5, last * 0x1p12}, {1.5, 1.5, 0x1p-12}, 0), last);
    EXPECT_EQ(dot_of<Op>({1.5, last * 0x1p12}, {1.5, 0x1p-12}, -2.25), 0);
  });
}

// A small product next to 1 - 1 is lost if all three are added at once, and kept if it is added later.
TEST_F(MmaRounding, ProductsAreAddedInBlocks) {
  for_each_type([](auto op) {
    using Op = decltype(op);
    for (int k = 2; k < Op::kK; ++k) {
      std::vector<double> roots(Op::kK);
      roots[0] = 1;
      roots[1] = -1;
      roots[k] = 0x1p-14;
      EXPECT_EQ(sum_of_squares<Op>(roots, 0), k < products_at_once<Op>() ? 0 : 0x1p-28) << k << " of " << Op::kK;
    }
  });
}

TEST_F(MmaRounding, SumsBeyondTheLargestFloatAreInfinite) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity(), kMax = std::numeric_limits<float>::max();
  for_each_type([&](auto op) {
    using Op = decltype(op);
    EXPECT_EQ(dot_of<Op>({1, 2}, {1, 2}, kMax), kMax);
    if (!has_wide_factors<Op>()) return;
    EXPECT_EQ(dot_of<Op>({0x1p103}, {1}, kMax), kMax);
    EXPECT_EQ(dot_of<Op>({-0x1p103}, {1}, -kMax), -kMax);
    EXPECT_EQ(dot_of<Op>({0x1p104}, {1}, kMax), kInfinity);
    EXPECT_EQ(dot_of<Op>({-0x1p104}, {1}, -kMax), -kInfinity);
    EXPECT_EQ(dot_of<Op>({0x1p127, -0x1p127}, {4, 4}, 5), 0);  // a product may be larger than any float
  });
}

TEST_F(MmaRounding, SubnormalSumsAreTruncated) {
  for_each_type([](auto op) {
    using Op = decltype(op);
    if (!has_wide_factors<Op>()) return;
    EXPECT_EQ(dot_of<Op>({0x1.8p-75}, {0x1p-75}, 0x1p-149), 0x1p-149);
    EXPECT_EQ(dot_of<Op>({-0x1.8p-75}, {0x1p-75}, -0x1p-149), -0x1p-149);
    EXPECT_EQ(dot_of<Op>({0x1p-75, 0x1p-75}, {0x1p-75, 0x1p-75}, 0), 0x1p-149);
    EXPECT_EQ(dot_of<Op>({-0x1p-76}, {0x1p-76}, 0x1p-148), 0x1p-148);  // C has exponent -126
  });
}

// However small the addends are, a last bit of 2^-156 or 2^-158 remains.
TEST_F(MmaRounding, AlignmentHasALeastExponent) {
  const double last = is_hopper_or_later() ? 0x1p-158 : 0x1p-156, nearly = (0x1p-150 - last) * 0x1p75;
  for_each_type([&](auto op) {
    using Op = decltype(op);
    if (!has_wide_factors<Op>()) return;
    const double a = last * 0x1p79;
    EXPECT_EQ(dot_of<Op>({0x1p-75, nearly, a}, {0x1p-75, 0x1p-75, 0x1p-79}, 0), 0x1p-149);
    EXPECT_EQ(dot_of<Op>({0x1p-75, nearly, a, a}, {0x1p-75, 0x1p-75, 0x1p-80, 0x1p-80}, 0), 0);
  });
}

// The exponent of a subnormal factor is the least one of its type, whatever its value.
TEST_F(MmaRounding, SubnormalFactorsHaveTheLeastExponent) {
  for_each_type([](auto op) {
    using Op = decltype(op);
    const double tiny = has_wide_factors<Op>() ? 0x1p-130 : 0x1p-24, other = 0x1p-24 / tiny;
    EXPECT_EQ(dot_of<Op>({tiny}, {other}, 0), 0x1p-24);
    EXPECT_EQ(dot_of<Op>({tiny, -tiny}, {other, other}, 0x1p-46), 0);
  });
}

TEST_F(MmaRounding, ZerosDoNotCountForTheAlignment) {
  for_each_type([](auto op) {
    using Op = decltype(op);
    const double large = has_wide_factors<Op>() ? 0x1p127 : 0x1p15;
    EXPECT_EQ(dot_of<Op>({0, 0x1p-14}, {large, 0x1p-14}, 0), 0x1p-28);
  });
}

TEST_F(MmaRounding, SumsOfZerosArePositive) {
  for_each_type([](auto op) {
    using Op = decltype(op);
    const std::vector<U64> ones(Op::kK, Op::A::bits(-1)), zeros(Op::kK);
    EXPECT_EQ(dot<Op>(ones, zeros, F32::bits(-0.0)), 0u);
  });
}

TEST_F(MmaRounding, InfinitiesAndNan) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for_each_type([&](auto op) {
    using Op = decltype(op);
    const double large = has_wide_factors<Op>() ? 0x1p127 : 0x1p15;
    EXPECT_EQ(dot_of<Op>({kInfinity, -large}, {large, large}, -large), kInfinity);
    EXPECT_EQ(dot_of<Op>({large}, {large}, -kInfinity), -kInfinity);
    EXPECT_EQ(dot<Op>({0}, {0}, 0xff800001u), 0x7fffffffu);
    EXPECT_EQ(dot<Op>({Op::A::bits(kInfinity)}, {0}, 0), 0x7fffffffu);
    EXPECT_EQ(dot<Op>({Op::A::bits(kInfinity)}, {Op::A::bits(1)}, F32::bits(-kInfinity)), 0x7fffffffu);
  });
}

// ---- fragments of tf32 ----------------------------------------------------------------------------------------------

// The registers may hold any bits. The lower 13 of them have no effect.
TEST_F(MmaRounding, LowBitsOfTensorFloatsAreIgnored) {
  std::mt19937 random(1);
  Matrices<TensorK8> in, cut;
  for (std::size_t i = 0; i < in.a.size(); ++i) cut.a[i] = (in.a[i] = random()) & 0xffffe000u;
  for (std::size_t i = 0; i < in.b.size(); ++i) cut.b[i] = (in.b[i] = random()) & 0xffffe000u;
  for (std::size_t i = 0; i < in.c.size(); ++i) cut.c[i] = in.c[i] = F32::bits(static_cast<double>(random()));
  EXPECT_EQ(in.product(), cut.product());
}

// A NaN whose payload is only in the lower 13 bits reads as infinity. It is therefore never mistaken for a number.
TEST_F(MmaRounding, NanInLowBitsOfTensorFloatsIsInfinity) {
  const U64 one = F32::bits(1), infinity = 0x7f800000u, nan = 0x7fffffffu;
  EXPECT_EQ(dot<TensorK8>({infinity | 1}, {one}, one), infinity);
  EXPECT_EQ(dot<TensorK8>({infinity | 0x80001fffu}, {one}, one), infinity | 0x80000000u);
  EXPECT_EQ(dot<TensorK8>({infinity | 1}, {0}, one), nan);
  EXPECT_EQ(dot<TensorK8>({infinity | 0x2000}, {one}, one), nan);
}

// ---- random matrices ------------------------------------------------------------------------------------------------

// Each addition truncates n + 1 addends to 23 + e bits after the point of the largest, and the sum to that of a float.
// The error in units of 2^-23 of the largest addend M is less than (n + 1) 2^-e plus |sum| / M.
template <class Op>
void check_errors() {
  std::mt19937 random(Op::kK);
  const auto draw = [&random] {
    const double x = std::ldexp(static_cast<double>(1024 + random() % 1024), static_cast<int>(random() % 14) - 17);
    return random() % 2 == 0 ? x : -x;
  };
  const int at_once = products_at_once<Op>();
  int inexact = 0, all = 0;
  for (int round = 0; round < 20; ++round) {
    Matrices<Op> in;
    for (U64& x : in.a) x = Op::A::bits(draw());
    for (U64& x : in.b) x = Op::B::bits(draw());
    for (U64& x : in.c) x = Op::C::bits(draw() * draw());
    const auto d = in.product();
    for (int i = 0; i < Op::kM * Op::kN; ++i) {
      double sum = Op::C::value(in.c[i]), bound = 0;
      for (int first = 0; first < Op::kK; first += at_once) {
        double largest = std::fabs(sum);
        for (int k = first; k < first + at_once; ++k) {
          const double product =
              Op::A::value(in.a[i / Op::kN * Op::kK + k]) * Op::B::value(in.b[k * Op::kN + i % Op::kN]);
          largest = std::max(largest, std::fabs(product));
          sum += product;
        }
        bound += kUnit * ((at_once + 1) * std::ldexp(largest, -extra_bits()) + std::fabs(sum));
      }
      const double result = Op::C::value(d[i]);
      ASSERT_LE(std::fabs(result - sum), bound) << sum;
      inexact += result != static_cast<float>(sum);
      ++all;
    }
  }
  EXPECT_GT(inexact, all / 4);  // A GPU that rounds to the nearest float would satisfy the bound, too.
}

TEST_F(MmaRounding, ErrorsAreBounded) {
  for_each_type([](auto op) { check_errors<decltype(op)>(); });
}

}  // namespace mma_rounding_test
