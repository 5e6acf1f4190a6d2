// SPDX-License-Identifier: Apache-2.0
//
// Tests CUB's block-wide reductions and scans, with each algorithm.
#include <algorithm>
#include <cub/block/block_reduce.cuh>
#include <cub/block/block_scan.cuh>
#include <numeric>

#include "primitives.h"

namespace programs::cub_block_sum_test {

constexpr int kItems = 3;

struct OfBlock {
  int sum, least_of_some;
};

template <int kThreads, cub::BlockReduceAlgorithm kAlgorithm>
__global__ void reduce(const int* in, int some, OfBlock* out) {
  using Reduce = cub::BlockReduce<int, kThreads, kAlgorithm>;
  __shared__ typename Reduce::TempStorage storage;
  in += blockIdx.x * kThreads * kItems;
  int items[kItems];
  for (int i = 0; i < kItems; ++i) items[i] = in[threadIdx.x * kItems + i];
  const int sum = Reduce(storage).Sum(items);
  __syncthreads();
  const int least = Reduce(storage).Reduce(items[0], cuda::minimum<>{}, some);
  if (threadIdx.x == 0) out[blockIdx.x] = {sum, least};
}

template <int kThreads, cub::BlockReduceAlgorithm kAlgorithm>
void check_reduce() {
  constexpr int kBlocks = 3, kSome = kThreads / 2 + 1;
  const std::vector<int> values = random_numbers(kBlocks * kThreads * kItems, 1000);
  const DeviceArray<int> in(values);
  const DeviceArray<OfBlock> out(kBlocks);
  reduce<kThreads, kAlgorithm><<<kBlocks, kThreads>>>(in.get(), kSome, out.get());
  const std::vector<OfBlock> results = out.read();
  for (int block = 0; block < kBlocks; ++block) {
    const int* mine = values.data() + block * kThreads * kItems;
    int least = mine[0];
    for (int thread = 1; thread < kSome; ++thread) least = std::min(least, mine[thread * kItems]);
    EXPECT_EQ(results[block].sum, std::accumulate(mine, mine + kThreads * kItems, 0)) << kThreads;
    EXPECT_EQ(results[block].least_of_some, least) << kThreads;
  }
}

TEST(CubBlockSum, ReduceByWarps) {
  check_reduce<128, cub::BLOCK_REDUCE_WARP_REDUCTIONS>();
  check_reduce<100, cub::BLOCK_REDUCE_WARP_REDUCTIONS>();
}
TEST(CubBlockSum, ReduceByRaking) { check_reduce<100, cub::BLOCK_REDUCE_RAKING>(); }
TEST(CubBlockSum, ReduceByRakingWhateverTheOrder) { check_reduce<128, cub::BLOCK_REDUCE_RAKING_COMMUTATIVE_ONLY>(); }

// Holds the running prefix of a scan over several tiles.
struct Running {
  int total;
  __device__ int operator()(int more) {
    const int before = total;
    total += more;
    return before;
  }
};

template <int kThreads, cub::BlockScanAlgorithm kAlgorithm>
__global__ void scan(const int* in, int count, int* sums, int* greatest) {
  using Scan = cub::BlockScan<int, kThreads, kAlgorithm>;
  __shared__ typename Scan::TempStorage storage;
  Running running{0};
  for (int first = 0; first < count; first += kThreads * kItems) {
    const int mine = first + static_cast<int>(threadIdx.x) * kItems;
    int items[kItems], results[kItems];
    for (int i = 0; i < kItems; ++i) items[i] = mine + i < count ? in[mine + i] : 0;
    Scan(storage).ExclusiveSum(items, results, running);
    for (int i = 0; i < kItems; ++i)
      if (mine + i < count) sums[mine + i] = results[i];
    __syncthreads();
    Scan(storage).InclusiveScan(items, results, cuda::maximum<>{});
    for (int i = 0; i < kItems; ++i)
      if (mine + i < count) greatest[mine + i] = results[i];
    __syncthreads();
  }
}

template <int kThreads, cub::BlockScanAlgorithm kAlgorithm>
void check_scan() {
  constexpr int kCount = 5 * kThreads * kItems - 7;
  const std::vector<int> values = random_numbers(kCount, 1000);
  const DeviceArray<int> in(values), sums(kCount), greatest(kCount);
  scan<kThreads, kAlgorithm><<<1, kThreads>>>(in.get(), kCount, sums.get(), greatest.get());
  std::vector<int> expected_sums, expected_greatest;
  int sum = 0, most = 0;
  for (int i = 0; i < kCount; ++i) {
    if (i % (kThreads * kItems) == 0) most = 0;
    most = std::max(most, values[i]);
    expected_sums.push_back(sum);
    expected_greatest.push_back(most);
    sum += values[i];
  }
  EXPECT_EQ(sums.read(), expected_sums);
  EXPECT_EQ(greatest.read(), expected_greatest);
}

TEST(CubBlockSum, ScanByWarps) { check_scan<96, cub::BLOCK_SCAN_WARP_SCANS>(); }
TEST(CubBlockSum, ScanByRaking) { check_scan<100, cub::BLOCK_SCAN_RAKING>(); }
TEST(CubBlockSum, ScanByRakingFromRegisters) { check_scan<128, cub::BLOCK_SCAN_RAKING_MEMOIZE>(); }

}  // namespace programs::cub_block_sum_test
