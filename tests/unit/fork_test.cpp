// SPDX-License-Identifier: Apache-2.0
//
// A process that forks after OpenMP has started threads: its child process has none of them.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "attn_cuda/attn_cuda.hpp"
#include "support/forked.h"

namespace attn::test {
namespace {

constexpr std::int64_t B = 8, T = 600, D = 64;

std::vector<float> pooled(const Handle& handle) {
  AttentionPooling attention(handle, {B, T, D});
  const Buffer<float> x(handle, std::vector<float>(B * T * D, 0.5f)), w(handle, std::vector<float>(D, 0.1f));
  Buffer<float> o(handle, B * D);
  attn_pooling_forward_args_t args{};
  args.x = x.data(), args.w = w.data(), args.o = o.data();
  attention.forward(args);
  return o.download();
}

TEST(Fork, ChildAndParentGoOnWithTheSameBits) {
  Handle handle;
  handle.set_threads(2);
  const std::vector<float> before = pooled(handle);
  EXPECT_TRUE(holds_in_child([&] { return pooled(handle) == before; }));
  EXPECT_TRUE(holds_in_child([&] { return holds_in_child([&] { return pooled(handle) == before; }); }));
  EXPECT_EQ(pooled(handle), before);
}

// The other thread makes and destroys handles all the time, and so often holds the lock of their registry.
TEST(Fork, LocksOfOtherThreadsAreFreeInTheChild) {
  std::atomic<bool> done{false};
  std::thread other([&] {
    while (!done) const Handle handle;
  });
  for (int repeat = 0; repeat < 50; ++repeat)
    EXPECT_TRUE(holds_in_child([] { return Handle().threads() > 0; })) << repeat;
  done = true;
  other.join();
}

}  // namespace
}  // namespace attn::test
