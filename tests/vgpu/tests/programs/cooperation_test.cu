// SPDX-License-Identifier: Apache-2.0
//
// Complete algorithms written with cooperative groups: a grid reduction in one launch, warp-aggregated atomics, groups
// by label, and a stencil with grid-wide steps.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>

#include <algorithm>
#include <cuda/std/numeric>
#include <numeric>

#include "primitives.h"

namespace programs::cooperation_test {

namespace cg = cooperative_groups;

constexpr int kThreads = 128;

template <class... Parameters>
void launch_cooperatively(void (*kernel)(Parameters...), int blocks, Parameters... parameters) {
  void* pointers[] = {&parameters...};
  ASSERT_EQ(cudaLaunchCooperativeKernel(kernel, dim3(blocks), dim3(kThreads), pointers, 0, nullptr), cudaSuccess);
}

// Sums over threads, tiles and blocks, and then, once all blocks have written their sums, over the grid.
__global__ void reduce_grid(const int* in, int count, int* sums, int* total) {
  const auto grid = cg::this_grid();
  const auto block = cg::this_thread_block();
  const auto tile = cg::tiled_partition<32>(block);
  __shared__ int of_tiles[kThreads / 32];
  int sum = 0;
  for (auto i = grid.thread_rank(); i < count; i += grid.size()) sum += in[i];
  sum = cg::reduce(tile, sum, cg::plus<int>());
  if (tile.thread_rank() == 0) of_tiles[tile.meta_group_rank()] = sum;
  block.sync();
  if (block.thread_rank() == 0) sums[blockIdx.x] = cuda::std::accumulate(of_tiles, of_tiles + kThreads / 32, 0);
  grid.sync();
  if (blockIdx.x > 0 || tile.meta_group_rank() > 0) return;
  sum = 0;
  for (auto i = tile.thread_rank(); i < gridDim.x; i += tile.size()) sum += sums[i];
  sum = cg::reduce(tile, sum, cg::plus<int>());
  if (tile.thread_rank() == 0) *total = sum;
}

TEST(Cooperation, ReductionInOneLaunch) {
  constexpr int kBlocks = 40, kCount = 20011;
  const std::vector<int> values = random_numbers(kCount, 1000);
  const DeviceArray<int> in(values), sums(kBlocks), total(1);
  launch_cooperatively<const int*, int, int*, int*>(reduce_grid, kBlocks, in.get(), kCount, sums.get(), total.get());
  EXPECT_EQ(total.read()[0], std::accumulate(values.begin(), values.end(), 0));
}

// Threads that found an item form a coalesced group, whose first thread reserves space for all of them.
__global__ void filter(const int* in, int count, int* out, int* found) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= count || in[i] % 3 != 0) return;
  const auto group = cg::coalesced_threads();
  int first = 0;
  if (group.thread_rank() == 0) first = atomicAdd(found, static_cast<int>(group.size()));
  out[group.shfl(first, 0) + static_cast<int>(group.thread_rank())] = in[i];
}

TEST(Cooperation, FilterWithOneAtomicOfAWarp) {
  constexpr int kCount = 5003;
  std::vector<int> values = random_numbers(kCount, 1000), expected;
  const DeviceArray<int> in(values), out(kCount), found(1);
  filter<<<kCount / kThreads + 1, kThreads>>>(in.get(), kCount, out.get(), found.get());
  std::copy_if(values.begin(), values.end(), std::back_inserter(expected), [](int value) { return value % 3 == 0; });
  ASSERT_EQ(found.read()[0], static_cast<int>(expected.size()));
  std::vector<int> results = out.read();
  results.resize(expected.size());
  std::sort(results.begin(), results.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(results, expected);
}

// Each thread computes how many threads of its warp have its label, and its rank among them.
__global__ void by_label(const int* labels, int* sizes, int* ranks) {
  const auto i = blockIdx.x * blockDim.x + threadIdx.x;
  const auto tile = cg::tiled_partition<32>(cg::this_thread_block());
  const auto group = cg::labeled_partition(tile, labels[i]);
  sizes[i] = cg::reduce(group, 1, cg::plus<int>());
  ranks[i] = cg::exclusive_scan(group, 1);
}

TEST(Cooperation, GroupsByLabel) {
  constexpr int kCount = 4 * kThreads;
  const std::vector<int> labels = random_numbers(kCount, 6);
  const DeviceArray<int> in(labels), sizes(kCount), ranks(kCount);
  by_label<<<kCount / kThreads, kThreads>>>(in.get(), sizes.get(), ranks.get());
  std::vector<int> expected_sizes, expected_ranks;
  for (int i = 0; i < kCount; ++i) {
    const auto warp = labels.begin() + i / 32 * 32;
    expected_sizes.push_back(static_cast<int>(std::count(warp, warp + 32, labels[i])));
    expected_ranks.push_back(static_cast<int>(std::count(warp, labels.begin() + i, labels[i])));
  }
  EXPECT_EQ(sizes.read(), expected_sizes);
  EXPECT_EQ(ranks.read(), expected_ranks);
}

// Simulates heat diffusion with grid-wide steps.
__global__ void diffuse(float* now, float* next, int count, int steps) {
  const auto grid = cg::this_grid();
  for (int step = 0; step < steps; ++step) {
    for (auto i = static_cast<int>(grid.thread_rank()); i < count; i += static_cast<int>(grid.size())) {
      const float left = now[i == 0 ? count - 1 : i - 1], right = now[i == count - 1 ? 0 : i + 1];
      next[i] = 0.5f * now[i] + 0.25f * (left + right);
    }
    grid.sync();
    float* before = now;
    now = next;
    next = before;
  }
}

TEST(Cooperation, StencilOfTheGrid) {
  constexpr int kBlocks = 9, kSteps = 6, kCount = 3 * kBlocks * kThreads - 5;
  std::vector<float> now = random_numbers<float>(kCount, 1024), next(kCount);
  const DeviceArray<float> first(now), second(kCount);
  launch_cooperatively<float*, float*, int, int>(diffuse, kBlocks, first.get(), second.get(), kCount, kSteps);
  for (int step = 0; step < kSteps; ++step, now.swap(next))
    for (int i = 0; i < kCount; ++i)
      next[i] = 0.5f * now[i] + 0.25f * (now[(i + kCount - 1) % kCount] + now[(i + 1) % kCount]);
  EXPECT_EQ(first.read(), now);  // sums are exact, since the numbers have few significant bits
}

}  // namespace programs::cooperation_test
