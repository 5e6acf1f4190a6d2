// SPDX-License-Identifier: Apache-2.0
//
// LSTM and projections in a process that forks after OpenMP has started threads.
#include "encoder/lstm_run.h"
#include "encoder/projected_run.h"
#include "support/forked.h"

namespace attn::test {
namespace {

TEST(EncoderFork, AChildComputesTheSameBits) {
  const LstmCase lstm({18, 12, 20, 16}, true);
  const ProjectedCase projected({3, 2, 300, 33, 17, 9, false}, true);
  RunOptions options;
  options.threads = 3;
  const LstmResult before = run(lstm, options);
  const ProjectedResult projected_before = run(projected, options);
  EXPECT_TRUE(holds_in_child([&] { return same_bits(run(lstm, options), before); }));
  EXPECT_TRUE(holds_in_child([&] {
    const ProjectedResult result = run(projected, options);
    bool same = same_bits(result.o, projected_before.o);
    for (int index = 0; index < 6; ++index)
      same = same && same_bits(result.gradient(index), projected_before.gradient(index));
    return same;
  }));
}

}  // namespace
}  // namespace attn::test
