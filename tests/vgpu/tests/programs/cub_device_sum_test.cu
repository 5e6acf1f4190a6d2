// SPDX-License-Identifier: Apache-2.0
//
// Tests CUB's device-wide reductions and scans. A scan reads its input once (decoupled look-back): each block reads the
// partial results that earlier blocks have published.
#include <algorithm>
#include <cub/device/device_reduce.cuh>
#include <cub/device/device_scan.cuh>
#include <cub/device/device_segmented_reduce.cuh>
#include <numeric>

#include "primitives.h"

namespace programs::cub_device_sum_test {

constexpr int kCount = 50001;

TEST(CubDeviceSum, Reduce) {
  const std::vector<int> values = random_numbers(kCount, 1000);
  const DeviceArray<int> in(values), out(1);
  run_with_workspace([&](void* workspace, std::size_t& bytes) {
    return cub::DeviceReduce::Sum(workspace, bytes, in.get(), out.get(), kCount);
  });
  EXPECT_EQ(out.read()[0], std::accumulate(values.begin(), values.end(), 0));
}

TEST(CubDeviceSum, SegmentedReduce) {
  const std::vector<int> values = random_numbers(kCount, 1000), offsets{0, 1, 1, 700, 20000, 20033, kCount};
  const int segments = static_cast<int>(offsets.size()) - 1;
  const DeviceArray<int> in(values), bounds(offsets), out(segments);
  run_with_workspace([&](void* workspace, std::size_t& bytes) {
    return cub::DeviceSegmentedReduce::Sum(workspace, bytes, in.get(), out.get(), segments, bounds.get(),
                                           bounds.get() + 1);
  });
  std::vector<int> expected;
  for (int i = 0; i < segments; ++i)
    expected.push_back(std::accumulate(values.begin() + offsets[i], values.begin() + offsets[i + 1], 0));
  EXPECT_EQ(out.read(), expected);
}

TEST(CubDeviceSum, ReduceByKey) {
  std::vector<int> keys = random_numbers(kCount, 3000), expected_keys, expected_sums;
  const std::vector<int> values = random_numbers(kCount, 1000);
  std::sort(keys.begin(), keys.end());
  for (int i = 0; i < kCount; ++i) {
    if (i == 0 || keys[i] != keys[i - 1]) {
      expected_keys.push_back(keys[i]);
      expected_sums.push_back(0);
    }
    expected_sums.back() += values[i];
  }
  const std::size_t runs = expected_keys.size();
  const DeviceArray<int> device_keys(keys), in(values), unique(runs), sums(runs), count(1);
  run_with_workspace([&](void* workspace, std::size_t& bytes) {
    return cub::DeviceReduce::ReduceByKey(workspace, bytes, device_keys.get(), unique.get(), in.get(), sums.get(),
                                          count.get(), cuda::std::plus<>{}, kCount);
  });
  EXPECT_EQ(count.read()[0], static_cast<int>(runs));
  EXPECT_EQ(unique.read(), expected_keys);
  EXPECT_EQ(sums.read(), expected_sums);
}

TEST(CubDeviceSum, ExclusiveSum) {
  const std::vector<int> values = random_numbers(kCount, 1000);
  const DeviceArray<int> in(values), out(kCount);
  run_with_workspace([&](void* workspace, std::size_t& bytes) {
    return cub::DeviceScan::ExclusiveSum(workspace, bytes, in.get(), out.get(), kCount);
  });
  std::vector<int> expected(kCount);
  std::exclusive_scan(values.begin(), values.end(), expected.begin(), 0);
  EXPECT_EQ(out.read(), expected);
}

// The sums have eight bytes and are published together with their status in one 16-byte write.
TEST(CubDeviceSum, ExclusiveSumOfDoubles) {
  const std::vector<double> values = random_numbers<double>(kCount, 1000);
  const DeviceArray<double> in(values), out(kCount);
  run_with_workspace([&](void* workspace, std::size_t& bytes) {
    return cub::DeviceScan::ExclusiveSum(workspace, bytes, in.get(), out.get(), kCount);
  });
  std::vector<double> expected(kCount);
  std::exclusive_scan(values.begin(), values.end(), expected.begin(), 0.0);
  EXPECT_EQ(out.read(), expected);
}

// Represents y = scale x + shift. The composition of two such functions is another one, and does not commute.
struct Line {
  unsigned scale, shift, unused;  // three words are too many to publish in one write
};
struct Then {
  __host__ __device__ Line operator()(const Line& first, const Line& second) const {
    return {first.scale * second.scale, first.shift * second.scale + second.shift, 0};
  }
};

TEST(CubDeviceSum, InclusiveScanOfWhatDoesNotCommute) {
  std::vector<Line> lines, expected;
  for (const unsigned number : random_numbers<unsigned>(kCount, 100000)) lines.push_back({number | 1, number / 3, 0});
  const DeviceArray<Line> in(lines), out(lines.size());
  run_with_workspace([&](void* workspace, std::size_t& bytes) {
    return cub::DeviceScan::InclusiveScan(workspace, bytes, in.get(), out.get(), Then(), kCount);
  });
  expected.push_back(lines[0]);
  for (int i = 1; i < kCount; ++i) expected.push_back(Then()(expected.back(), lines[i]));
  const std::vector<Line> results = out.read();
  for (int i = 0; i < kCount; ++i) {
    ASSERT_EQ(results[i].scale, expected[i].scale) << i;
    ASSERT_EQ(results[i].shift, expected[i].shift) << i;
  }
}

}  // namespace programs::cub_device_sum_test
