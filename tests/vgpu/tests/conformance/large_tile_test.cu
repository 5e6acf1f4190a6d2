// SPDX-License-Identifier: Apache-2.0
//
// Tests tiles of several warps. From sm_80 on they communicate through shared memory that the system reserves after the
// block's own.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>

#include "device_array.h"

namespace conformance::large_tile_test {

namespace cg = cooperative_groups;

constexpr int kThreads = 256;

// `pattern` fills the block's own shared memory, which must remain unchanged.
template <unsigned kTile>
__global__ void reduce_tiles(int* sums, int* changed) {
  __shared__ cg::block_tile_memory<kThreads> memory;
  __shared__ int pattern[kThreads];
  const cg::thread_block block = cg::this_thread_block(memory);
  const auto tile = cg::tiled_partition<kTile>(block);
  const int thread = static_cast<int>(threadIdx.x);
  pattern[thread] = ~thread;
  block.sync();
  for (int round = 0; round < 3; ++round)
    sums[round * kThreads + thread] = cg::reduce(tile, thread + round, cg::plus<int>());
  tile.sync();
  changed[thread] = pattern[thread] != ~thread;
}

template <unsigned kTile>
void check_tiles() {
  const DeviceArray<int> sums(3 * kThreads), changed(kThreads, 1);
  reduce_tiles<kTile><<<1, kThreads>>>(sums.get(), changed.get());
  const std::vector<int> results = sums.read();
  for (int i = 0; i < 3 * kThreads; ++i) {
    const int size = static_cast<int>(kTile), first = i % kThreads / size * size, round = i / kThreads;
    const int expected = size * (first + round) + size * (size - 1) / 2;
    ASSERT_EQ(results[static_cast<std::size_t>(i)], expected) << i;
  }
  EXPECT_EQ(changed.read(), std::vector<int>(kThreads, 0));
}

TEST(LargeTile, Reduces) {
  check_tiles<64>();
  check_tiles<128>();
  check_tiles<256>();
}

}  // namespace conformance::large_tile_test
