// SPDX-License-Identifier: Apache-2.0
//
// Additive attention of random shapes on the CPU: the bits depend neither on the number of threads nor on the batch. With
// ATTN_TEST_COMPARISONS=25000 there are that many comparisons.
#include <cstdlib>
#include <string>

#include "parity/additive_run.h"

namespace attn::test::additive {
namespace {

std::int64_t wanted_comparisons() {
  const char* const wanted = std::getenv("ATTN_TEST_COMPARISONS");
  return wanted != nullptr ? std::atoll(wanted) : 500;
}

TEST(RandomShapes, SameBitsOnAnyThreadsAndInAnyBatch) {
  Random random(1);
  const auto any = [&](std::int32_t low, std::int32_t high) { return random.integers(1, low, high).front(); };
  for (std::int64_t comparisons = 0; comparisons < wanted_comparisons();) {
    const std::int64_t Q = any(0, 2) == 0 ? 1 : any(1, 40);
    const AdditiveShape shape{any(1, 4), Q, any(1, 400), any(1, 80), any(1, 80)};
    RunOptions options;
    options.dtype = kAnyStorage[static_cast<std::size_t>(any(0, 2))];
    options.weights = any(0, 1) == 0;
    options.d_weights = any(0, 1) == 0;
    options.threads = 1;
    const Lengths lengths = any(0, 1) == 0 ? random.lengths(shape.B, shape.T) : Lengths();
    const Case whole = stored(Case(shape, lengths, static_cast<std::uint64_t>(comparisons)), options.dtype);
    SCOPED_TRACE(testing::PrintToString(shape));
    const Result alone = run(whole, options);
    options.threads = any(2, 5);
    expect_same_bits(run(whole, options), alone);
    expect_same_bits_of_each_item(whole, alone, options);
    comparisons += 1 + shape.B;
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace attn::test::additive
