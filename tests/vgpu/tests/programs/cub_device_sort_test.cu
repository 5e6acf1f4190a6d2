// SPDX-License-Identifier: Apache-2.0
//
// Tests CUB's device-wide sorts: radix sort with decoupled look-back, and merge sort.
#include <algorithm>
#include <cub/device/device_merge_sort.cuh>
#include <cub/device/device_radix_sort.cuh>

#include "primitives.h"

namespace programs::cub_device_sort_test {

constexpr int kCount = 30001;

std::vector<int> positions() {
  std::vector<int> all(kCount);
  for (int i = 0; i < kCount; ++i) all[i] = i;
  return all;
}

TEST(CubDeviceSort, RadixSortOfPairs) {
  std::vector<int> keys = random_numbers(kCount, 5000), order = positions();
  for (int& key : keys) key = (key - 2500) * 1000;
  const DeviceArray<int> in(keys), values(order), sorted_keys(kCount), sorted_values(kCount);
  run_with_workspace([&](void* workspace, std::size_t& bytes) {
    return cub::DeviceRadixSort::SortPairs(workspace, bytes, in.get(), sorted_keys.get(), values.get(),
                                           sorted_values.get(), kCount);
  });
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return keys[a] < keys[b]; });
  EXPECT_EQ(sorted_values.read(), order);
  std::stable_sort(keys.begin(), keys.end());
  EXPECT_EQ(sorted_keys.read(), keys);
}

struct ByLastDigits {
  __host__ __device__ bool operator()(int a, int b) const { return a % 100 < b % 100; }
};

TEST(CubDeviceSort, StableMergeSort) {
  std::vector<int> keys = random_numbers(kCount, 100000), order = positions();
  const DeviceArray<int> sorted_keys(keys), sorted_values(order);
  run_with_workspace([&](void* workspace, std::size_t& bytes) {
    return cub::DeviceMergeSort::StableSortPairs(workspace, bytes, sorted_keys.get(), sorted_values.get(), kCount,
                                                 ByLastDigits());
  });
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return ByLastDigits()(keys[a], keys[b]); });
  EXPECT_EQ(sorted_values.read(), order);
  std::stable_sort(keys.begin(), keys.end(), ByLastDigits());
  EXPECT_EQ(sorted_keys.read(), keys);
}

}  // namespace programs::cub_device_sort_test
