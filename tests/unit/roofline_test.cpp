// SPDX-License-Identifier: Apache-2.0
#include "bench/roofline.h"

#include <gtest/gtest.h>

namespace attn::bench {
namespace {

// The rates that the vendor publishes.
TEST(Roofline, PeaksOfKnownDevices) {
  const Peak h100 = peak_of({2619000, 5120, 1980000, 132}), t4 = peak_of({5001000, 256, 1590000, 40});
  EXPECT_NEAR(h100.bytes_per_second, 3.35e12, 0.01e12);
  EXPECT_NEAR(h100.tanhs_per_second, 4.18e12, 0.01e12);
  EXPECT_NEAR(t4.bytes_per_second, 320e9, 1e9);
}

TEST(Roofline, IsTheHigherOfBothLimits) {
  const Peak peak{1000, 100};
  const Cost memory_bound{9999, 2000, 50}, tanh_bound{9999, 500, 300};
  EXPECT_DOUBLE_EQ(roofline_fraction(memory_bound, peak, 4), 0.5);
  EXPECT_DOUBLE_EQ(roofline_fraction(tanh_bound, peak, 4), 0.75);
}

TEST(Roofline, CostsOfCalls) {
  const Shape s{2, 3, 5, 7, 11};
  for (const Pass& pass : kPasses) {
    const Cost cost = cost_of(pass, pass.pooling ? Shape{2, 1, 5, 0, 11} : s);
    EXPECT_GE(cost.moved, cost.least) << pass.name;
    const Index once = pass.pooling ? 2 * 5 : 2 * 3 * 5 * 7;
    EXPECT_EQ(cost.tanhs, pass.backward && !pass.pooling && !pass.weights ? 2 * once : once) << pass.name;
  }
}

}  // namespace
}  // namespace attn::bench
