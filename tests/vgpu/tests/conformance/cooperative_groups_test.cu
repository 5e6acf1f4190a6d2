// SPDX-License-Identifier: Apache-2.0
//
// Tests cooperative groups: tiles, coalesced threads, partitions, the block and the grid.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>

#include <cstdint>
#include <numeric>

#include "device_array.h"

namespace cooperative_groups_test {

namespace cg = cooperative_groups;
using conformance::DeviceArray;

constexpr int kThreads = 96;

std::vector<int> numbers(int count) {
  std::vector<int> all(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) all[static_cast<std::size_t>(i)] = i * 37 % 101 - 20;
  return all;
}

struct OfTile {
  int sum, greatest, scan, next, all_same, ballot;
};

template <int size>
__global__ void tiles(const int* in, OfTile* out) {
  const auto tile = cg::tiled_partition<size>(cg::this_thread_block());
  const int value = in[threadIdx.x];
  OfTile result;
  result.sum = cg::reduce(tile, value, cg::plus<int>());
  result.greatest = cg::reduce(tile, value, cg::greater<int>());
  result.scan = cg::exclusive_scan(tile, value);
  result.next = tile.shfl_down(value, 1);
  result.all_same = tile.all(tile.meta_group_rank() == static_cast<unsigned>(threadIdx.x) / size);
  result.ballot = static_cast<int>(tile.ballot(value > 30));
  tile.sync();
  out[threadIdx.x] = result;
}

template <int size>
void check_tiles() {
  const auto in = numbers(kThreads);
  DeviceArray<int> device_in(in);
  DeviceArray<OfTile> out(kThreads);
  tiles<size><<<1, kThreads>>>(device_in.get(), out.get());
  const auto results = out.read();
  for (int self = 0; self < kThreads; ++self) {
    const int first = self / size * size;
    OfTile expected{0, in[first], 0, in[self % size == size - 1 ? self : self + 1], 1, 0};
    for (int i = first; i < first + size; ++i) {
      if (i == self) expected.scan = expected.sum;
      expected.sum += in[i];
      expected.greatest = std::max(expected.greatest, in[i]);
      if (in[i] > 30) expected.ballot |= static_cast<int>(1u << (i - first));
    }
    EXPECT_EQ(results[self].sum, expected.sum) << self;
    EXPECT_EQ(results[self].greatest, expected.greatest) << self;
    EXPECT_EQ(results[self].scan, expected.scan) << self;
    EXPECT_EQ(results[self].next, expected.next) << self;
    EXPECT_EQ(results[self].all_same, 1) << self;
    EXPECT_EQ(results[self].ballot, expected.ballot) << self;
  }
}

TEST(CooperativeGroups, Tiles) {
  check_tiles<1>();
  check_tiles<2>();
  check_tiles<8>();
  check_tiles<16>();
  check_tiles<32>();
}

struct OfGroup {
  unsigned size, rank;
  int sum, from_first;
};

// Threads with odd values form a coalesced group, and the values modulo 5 label the groups of a partition.
__global__ void groups(const int* in, OfGroup* coalesced, OfGroup* labeled) {
  const int value = in[threadIdx.x];
  if (value % 2 != 0) {
    const auto group = cg::coalesced_threads();
    coalesced[threadIdx.x] = {static_cast<unsigned>(group.size()), static_cast<unsigned>(group.thread_rank()),
                              cg::reduce(group, value, cg::plus<int>()), group.shfl(value, 0)};
  }
  const auto tile = cg::tiled_partition<32>(cg::this_thread_block());
  const auto group = cg::labeled_partition(tile, (value + 100) % 5);
  labeled[threadIdx.x] = {static_cast<unsigned>(group.size()), static_cast<unsigned>(group.thread_rank()),
                          cg::reduce(group, value, cg::plus<int>()), group.shfl(value, 0)};
}

template <class Member>
void check_group(const std::vector<int>& in, const OfGroup& result, int self, Member member) {
  OfGroup expected{0, 0, 0, 0};
  for (int i = self / 32 * 32; i < self / 32 * 32 + 32; ++i) {
    if (!member(in[i])) continue;
    if (expected.size++ == 0) expected.from_first = in[i];
    if (i < self) ++expected.rank;
    expected.sum += in[i];
  }
  EXPECT_EQ(result.size, expected.size) << self;
  EXPECT_EQ(result.rank, expected.rank) << self;
  EXPECT_EQ(result.sum, expected.sum) << self;
  EXPECT_EQ(result.from_first, expected.from_first) << self;
}

TEST(CooperativeGroups, CoalescedAndLabeled) {
  const auto in = numbers(kThreads);
  DeviceArray<int> device_in(in);
  DeviceArray<OfGroup> coalesced(kThreads), labeled(kThreads);
  groups<<<1, kThreads>>>(device_in.get(), coalesced.get(), labeled.get());
  const auto of_odd = coalesced.read(), of_label = labeled.read();
  for (int self = 0; self < kThreads; ++self) {
    if (in[self] % 2 != 0) check_group(in, of_odd[self], self, [](int value) { return value % 2 != 0; });
    const int label = (in[self] + 100) % 5;
    check_group(in, of_label[self], self, [&](int value) { return (value + 100) % 5 == label; });
  }
}

__global__ void block_of(int* out) {
  const auto block = cg::this_thread_block();
  __shared__ int shared[kThreads];
  shared[block.thread_rank()] = static_cast<int>(block.thread_rank());
  auto token = block.barrier_arrive();
  block.barrier_wait(std::move(token));
  out[block.thread_rank()] = shared[kThreads - 1 - block.thread_rank()] + static_cast<int>(block.num_threads());
  block.sync();
}

TEST(CooperativeGroups, Block) {
  DeviceArray<int> out(kThreads);
  block_of<<<1, dim3(8, 4, 3)>>>(out.get());
  const auto results = out.read();
  for (int self = 0; self < kThreads; ++self) EXPECT_EQ(results[self], kThreads - 1 - self + kThreads);
}

// In each round, every block needs what the block after it wrote in the previous round.
__global__ void rounds(int* data, int* next, int count) {
  const auto grid = cg::this_grid();
  const auto self = static_cast<int>(grid.thread_rank()), all = static_cast<int>(grid.num_threads());
  for (int round = 0; round < count; ++round) {
    next[self] = data[(self + static_cast<int>(blockDim.x) + 1) % all];
    grid.sync();
    data[self] = next[self];
    grid.sync();
  }
}

TEST(CooperativeGroups, Grid) {
  constexpr int kBlocks = 12, kRounds = 4, kAll = kBlocks * kThreads;
  std::vector<int> values(kAll);
  std::iota(values.begin(), values.end(), 0);
  DeviceArray<int> data(values), next(kAll);
  int *data_pointer = data.get(), *next_pointer = next.get(), count = kRounds;
  void* arguments[] = {&data_pointer, &next_pointer, &count};
  ASSERT_EQ(cudaLaunchCooperativeKernel(reinterpret_cast<const void*>(rounds), kBlocks, kThreads, arguments),
            cudaSuccess);
  const auto results = data.read();
  for (int self = 0; self < kAll; ++self) ASSERT_EQ(results[self], (self + kRounds * (kThreads + 1)) % kAll) << self;
}

}  // namespace cooperative_groups_test
