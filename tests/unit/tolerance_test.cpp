// SPDX-License-Identifier: Apache-2.0
//
// Tests the tolerance rule itself: which results it accepts and which it rejects.
#include "support/tolerance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>

#include "support/storage.h"

namespace attn::test {
namespace {

using reference::Sum;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr double kEpsilon = std::numeric_limits<float>::epsilon();
constexpr Operation kSome = Operation::additive_forward;

TEST(Tolerance, IsTheRule) {
  const auto [k, c, r] = tolerance(kSome);
  const Sum expected{{0.0}, {3.0}};
  const auto allowed = static_cast<float>(c * kEpsilon * 3.0);
  EXPECT_TRUE(close(kSome, {0.99F * allowed}, expected, {1}));
  EXPECT_FALSE(close(kSome, {1.01F * allowed}, expected, {1}));
  EXPECT_NEAR(worst_ratio(kSome, {2 * allowed}, expected), 2, 1e-6);

  const Sum relative{{1024.0}, {0.0}};
  const double unit = 1024 * kEpsilon;
  EXPECT_NEAR(worst_ratio(kSome, {static_cast<float>(1024 + unit)}, relative), 1 / k, 1e-6);
}

TEST(Tolerance, PlacesOfNanAndInfinityMustMatch) {
  const double inf = kInf;
  const Sum expected{{kNan, inf, -inf, 1}, {1, 1, 1, 1}};
  EXPECT_TRUE(close(kSome, {kNan, kInf, -kInf, 1}, expected, {4}));
  EXPECT_FALSE(close(kSome, {0, kInf, -kInf, 1}, expected, {4}));
  EXPECT_FALSE(close(kSome, {kNan, -kInf, -kInf, 1}, expected, {4}));
  EXPECT_FALSE(close(kSome, {kNan, kInf, kNan, 1}, expected, {4}));
  EXPECT_FALSE(close(kSome, {kNan, kInf, -kInf, kNan}, expected, {4}));
  EXPECT_FALSE(close(kSome, {kNan, kInf, -kInf, kInf}, expected, {4}));
}

TEST(Tolerance, TheResultIsRoundedToItsStorageAndTheReductionsBehindItAreNot) {
  for (attn_dtype_t dtype : {ATTN_DTYPE_FP16, ATTN_DTYPE_BF16}) {
    const auto [k, c, r] = tolerance(kSome);
    const double unit = storage_of(dtype).epsilon();
    const Sum expected{{1.0}, {100.0}};
    const double allowed = k * unit + c * kEpsilon * 100;
    EXPECT_TRUE(close(kSome, {static_cast<float>(1 + 0.99 * allowed)}, expected, {1}, dtype));
    EXPECT_FALSE(close(kSome, {static_cast<float>(1 + 1.01 * allowed)}, expected, {1}, dtype));
    EXPECT_FALSE(close(kSome, {static_cast<float>(1 + 0.99 * allowed)}, expected, {1})) << "fp32";
  }
}

TEST(Tolerance, WhatIsRoundedOnTheWayCountsByItsType) {
  constexpr Operation kRounding = Operation::projected_backward;
  const auto [k, c, r] = tolerance(kRounding);
  const Sum expected{{1.0}, {100.0}};
  for (attn_dtype_t inside : {ATTN_DTYPE_FP16, ATTN_DTYPE_BF16}) {
    const double allowed = k * kEpsilon + (c * kEpsilon + r * storage_of(inside).epsilon()) * 100;
    const float within = static_cast<float>(1 + 0.99 * allowed), beyond = static_cast<float>(1 + 1.01 * allowed);
    EXPECT_TRUE(close(kRounding, {within}, expected, {1}, ATTN_DTYPE_FP32, inside));
    EXPECT_FALSE(close(kRounding, {beyond}, expected, {1}, ATTN_DTYPE_FP32, inside));
    EXPECT_FALSE(close(kRounding, {within}, expected, {1})) << "fp32 inside";
    EXPECT_FALSE(close(kSome, {within}, expected, {1}, ATTN_DTYPE_FP32, inside)) << "an operation that rounds nothing";
  }
  const double allowed = k * kEpsilon + c * kEpsilon * 100;
  EXPECT_NEAR(worst_ratio(kRounding, {static_cast<float>(1 + 2 * allowed)}, expected, ATTN_DTYPE_FP32, ATTN_DTYPE_FP32),
              2, 0.01);
}

TEST(Tolerance, SubnormalNumbersOfFp16Count) {
  const Sum expected{{0x1.8p-20}, {0x1.8p-20}};
  EXPECT_TRUE(close(kSome, {0x1.8p-20F + 0x1p-24F}, expected, {1}, ATTN_DTYPE_FP16));
  EXPECT_FALSE(close(kSome, {0x1.8p-20F + 0x1p-23F}, expected, {1}, ATTN_DTYPE_FP16));
  EXPECT_FALSE(close(kSome, {0}, expected, {1}, ATTN_DTYPE_FP16));
}

TEST(Tolerance, WhatRoundsToInfinityIsInfinite) {
  const Sum expected{{65520, 65519, -1e9}, {1, 1, 1}};
  EXPECT_TRUE(close(kSome, {kInf, 65504, -kInf}, expected, {3}, ATTN_DTYPE_FP16));
  EXPECT_FALSE(close(kSome, {65504, 65504, -kInf}, expected, {3}, ATTN_DTYPE_FP16));
  EXPECT_FALSE(close(kSome, {kInf, kInf, -kInf}, expected, {3}, ATTN_DTYPE_FP16));
  EXPECT_FALSE(close(kSome, {kInf, 65504, -65504}, expected, {3}, ATTN_DTYPE_FP16));
  EXPECT_FALSE(close(kSome, {kInf, 65504, -kInf}, expected, {3}, ATTN_DTYPE_BF16));
}

TEST(Tolerance, AScaleThatForgivesEverythingIsRefused) {
  EXPECT_FALSE(close(kSome, {1}, {{1}, {double(kInf)}}, {1}));
  EXPECT_FALSE(close(kSome, {1}, {{1}, {double(kNan)}}, {1}));
}

TEST(Tolerance, SizesMustMatch) {
  EXPECT_FALSE(close(kSome, {1}, {{1, 1}, {1, 1}}, {2}));
  EXPECT_FALSE(close(kSome, {1, 1}, {{1, 1}, {1, 1}}, {3}));
  EXPECT_FALSE(close(kSome, {1, 1}, {{1, 1}, {1}}, {2}));
  EXPECT_TRUE(std::isinf(worst_ratio(kSome, {1}, {{1, 1}, {1, 1}})));
  EXPECT_TRUE(close(kSome, {}, {}, {2, 0, 3}));
}

TEST(Tolerance, FailureNamesTheWorstElement) {
  Sum expected{std::vector<double>(12, 1.0), std::vector<double>(12, 1.0)};
  std::vector<float> got(12, 1);
  got[7] = 1 + 100 * std::numeric_limits<float>::epsilon();
  got[2] = 1 + 10 * std::numeric_limits<float>::epsilon();
  std::ostringstream message;
  message << close(kSome, got, expected, {2, 2, 3}).message();
  EXPECT_NE(message.str().find("2 of 12 elements"), std::string::npos) << message.str();
  EXPECT_NE(message.str().find("[1, 0, 1]"), std::string::npos) << message.str();
  EXPECT_NE(message.str().find("100 ULP"), std::string::npos) << message.str();
}

TEST(Tolerance, RatioToNaive) {
  const Sum expected{{1, -4}, {2, 4}};
  const auto off = [](double first, double second) {
    return std::vector<float>{static_cast<float>(1 + first * kEpsilon), static_cast<float>(-4 + second * kEpsilon)};
  };
  EXPECT_NEAR(ratio_to_naive(off(6, 0), off(2, 0), expected), 3, 1e-6);
  EXPECT_NEAR(ratio_to_naive(off(0, 16), off(4, 0), expected), 2, 1e-6);
  // If a naive result happens to be exact, an error of half a unit is still acceptable.
  EXPECT_NEAR(ratio_to_naive(off(0, 4), off(0, 0), expected), 2, 1e-6);
  EXPECT_EQ(ratio_to_naive(off(0, 0), off(0, 0), expected), 0);
  EXPECT_TRUE(std::isinf(ratio_to_naive({kNan, -4}, off(1, 1), expected)));
}

// In 16 bits the naive result has been rounded too, and every result may have the error of one rounding.
TEST(Tolerance, RatioToNaiveOfTheSameStorage) {
  const Sum expected{{1}, {1}};
  const auto off = [](double units) { return std::vector<float>{static_cast<float>(1 + units * 0x1p-10)}; };
  EXPECT_NEAR(ratio_to_naive(off(1), off(0), expected, ATTN_DTYPE_FP16), 2, 1e-6);
  EXPECT_NEAR(ratio_to_naive(off(3), off(0.6), expected, ATTN_DTYPE_FP16), 3, 1e-6);
}

}  // namespace
}  // namespace attn::test
