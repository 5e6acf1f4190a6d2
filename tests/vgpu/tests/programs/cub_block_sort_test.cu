// SPDX-License-Identifier: Apache-2.0
//
// Tests CUB's block-wide sorts, loads, exchanges and stores.
#include <algorithm>
#include <cub/block/block_exchange.cuh>
#include <cub/block/block_load.cuh>
#include <cub/block/block_merge_sort.cuh>
#include <cub/block/block_radix_sort.cuh>
#include <cub/block/block_shuffle.cuh>
#include <cub/block/block_store.cuh>

#include "primitives.h"

namespace programs::cub_block_sort_test {

constexpr int kThreads = 128, kItems = 5, kTile = kThreads * kItems;

__global__ void radix_sort(const float* keys, const int* values, float* sorted_keys, int* sorted_values) {
  using Sort = cub::BlockRadixSort<float, kThreads, kItems, int>;
  __shared__ typename Sort::TempStorage storage;
  float key[kItems];
  int value[kItems];
  const int thread = static_cast<int>(threadIdx.x);
  cub::LoadDirectBlocked(thread, keys, key);
  cub::LoadDirectBlocked(thread, values, value);
  Sort(storage).SortDescendingBlockedToStriped(key, value);
  cub::StoreDirectStriped<kThreads>(thread, sorted_keys, key);
  cub::StoreDirectStriped<kThreads>(thread, sorted_values, value);
}

// The sort must be stable, treat -0 and 0 as equal, and order keys of both signs.
TEST(CubBlockSort, RadixSortOfPairs) {
  std::vector<float> keys;
  std::vector<int> order;
  for (const int number : random_numbers(kTile, 200)) {
    keys.push_back(static_cast<float>(number - 100) * 0.25f);
    order.push_back(static_cast<int>(order.size()));
  }
  const DeviceArray<float> in(keys), sorted_keys(kTile);
  const DeviceArray<int> values(order), sorted_values(kTile);
  radix_sort<<<1, kThreads>>>(in.get(), values.get(), sorted_keys.get(), sorted_values.get());
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return keys[a] > keys[b]; });
  EXPECT_EQ(sorted_values.read(), order);
  std::stable_sort(keys.begin(), keys.end(), std::greater<>());
  EXPECT_EQ(sorted_keys.read(), keys);
}

struct ByLastDigit {
  __host__ __device__ bool operator()(int a, int b) const { return a % 10 < b % 10; }
};

// Loads with one algorithm and stores with another, for a partial tile.
template <cub::BlockLoadAlgorithm kLoad, cub::BlockStoreAlgorithm kStore>
__global__ void merge_sort(const int* in, int count, int* out) {
  using Load = cub::BlockLoad<int, kThreads, kItems, kLoad>;
  using Sort = cub::BlockMergeSort<int, kThreads, kItems>;
  using Store = cub::BlockStore<int, kThreads, kItems, kStore>;
  __shared__ union {
    typename Load::TempStorage load;
    typename Sort::TempStorage sort;
    typename Store::TempStorage store;
  } storage;
  int items[kItems];
  Load(storage.load).Load(in, items, count, 9);
  __syncthreads();
  Sort(storage.sort).StableSort(items, ByLastDigit());
  __syncthreads();
  Store(storage.store).Store(out, items, count);
}

template <cub::BlockLoadAlgorithm kLoad, cub::BlockStoreAlgorithm kStore>
void check_merge_sort() {
  constexpr int kCount = kTile - 77;
  std::vector<int> values = random_numbers(kCount, 1000);
  const DeviceArray<int> in(values), out(kCount);
  merge_sort<kLoad, kStore><<<1, kThreads>>>(in.get(), kCount, out.get());
  std::stable_sort(values.begin(), values.end(), ByLastDigit());
  EXPECT_EQ(out.read(), values);
}

TEST(CubBlockSort, MergeSortOfWhatIsTransposed) {
  check_merge_sort<cub::BLOCK_LOAD_TRANSPOSE, cub::BLOCK_STORE_WARP_TRANSPOSE>();
}
TEST(CubBlockSort, MergeSortOfWhatIsTransposedByWarps) {
  check_merge_sort<cub::BLOCK_LOAD_WARP_TRANSPOSE, cub::BLOCK_STORE_TRANSPOSE>();
}

// Moves each item to the mirrored rank, and then to the next thread.
__global__ void move(const int* in, int* out) {
  using Exchange = cub::BlockExchange<int, kThreads, kItems>;
  using Shuffle = cub::BlockShuffle<int, kThreads>;
  __shared__ typename Exchange::TempStorage for_exchange;
  __shared__ typename Shuffle::TempStorage for_shuffle;
  const int thread = static_cast<int>(threadIdx.x);
  int items[kItems], ranks[kItems];
  cub::LoadDirectStriped<kThreads>(thread, in, items);
  Exchange(for_exchange).StripedToBlocked(items, items);
  for (int i = 0; i < kItems; ++i) ranks[i] = kTile - 1 - (thread * kItems + i);
  __syncthreads();
  Exchange(for_exchange).ScatterToBlocked(items, items, ranks);
  const int last = items[kItems - 1];
  Shuffle(for_shuffle).Up(items, items);
  if (thread == 0) items[0] = -1;
  cub::StoreDirectBlocked(thread, out, items);
  __syncthreads();
  int opposite = 0;
  Shuffle(for_shuffle).Rotate(last, opposite, kThreads / 2);
  out[kTile + thread] = opposite;
}

TEST(CubBlockSort, ExchangeAndShuffle) {
  const std::vector<int> values = random_numbers(kTile, 1000);
  const DeviceArray<int> in(values), out(kTile + kThreads);
  move<<<1, kThreads>>>(in.get(), out.get());
  std::vector<int> reversed(values.rbegin(), values.rend()), expected(reversed);
  std::rotate(expected.begin(), expected.end() - 1, expected.end());
  expected[0] = -1;
  for (int thread = 0; thread < kThreads; ++thread)
    expected.push_back(reversed[(thread + kThreads / 2) % kThreads * kItems + kItems - 1]);
  EXPECT_EQ(out.read(), expected);
}

}  // namespace programs::cub_block_sort_test
