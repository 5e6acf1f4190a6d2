// SPDX-License-Identifier: Apache-2.0
//
// The choice of arithmetic in kernels/encoding.h, and the bounds that it relies on.
#include "kernels/encoding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace attn::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr ValueSummary kOrdinary{1, 0.5F, 8};

TEST(Encoding, RangesChooseTheArithmetic) {
  const auto choose = [](float q, float k) { return choose_arithmetic(q, k, kOrdinary); };
  EXPECT_EQ(choose(0, 0), Arithmetic::addition);
  EXPECT_EQ(choose(1, 1), Arithmetic::addition);
  EXPECT_EQ(choose(1.01F, 0), Arithmetic::grouped);
  EXPECT_EQ(choose(0, 1.01F), Arithmetic::grouped);
  EXPECT_EQ(choose(28, kInfinity), Arithmetic::grouped);
  EXPECT_EQ(choose(kInfinity, 28), Arithmetic::grouped);
  EXPECT_EQ(choose(28.1F, 28.1F), Arithmetic::direct);
  EXPECT_EQ(choose(kInfinity, kInfinity), Arithmetic::direct);
}

TEST(Encoding, UnusualValuesAreComputedDirectly) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const ValueSummary& v : {ValueSummary{kInfinity, 0, kInfinity}, ValueSummary{1, nan, nan},
                                ValueSummary{1, 0, 1e30F}, ValueSummary{1e-30F, 0, 1e-29F}}) {
    EXPECT_EQ(choose_arithmetic(0.5F, 0.5F, v), Arithmetic::direct) << v.max << " " << v.sum;
    EXPECT_EQ(choose_arithmetic(5, 5, v), Arithmetic::direct) << v.max << " " << v.sum;
  }
}

// Everything that the grouped arithmetic multiplies stays a normal number, so that flushing subnormal ones to zero
// changes nothing.
TEST(Encoding, GroupedNumbersAreNormal) {
  constexpr double kNormal = std::numeric_limits<float>::min();
  EXPECT_GE(std::pow(double{kLeastDenominator}, kGroupColumns), kNormal);
  EXPECT_GE(kLeastDenominator * std::exp(-2.0 * kMostFolded), kNormal);
  EXPECT_LE(std::exp(2.0 * kMostFolded), std::numeric_limits<float>::max());
  EXPECT_EQ(kGroupedScale, 2 * kLeastDenominator);
}

TEST(Encoding, TheSmallerRangeCarriesTheFactors) {
  EXPECT_TRUE(folds_into_queries(1, 2));
  EXPECT_FALSE(folds_into_queries(2, 1));
  EXPECT_TRUE(folds_into_queries(28, kInfinity));
  EXPECT_FALSE(folds_into_queries(kInfinity, 28));
}

}  // namespace
}  // namespace attn::kernels
