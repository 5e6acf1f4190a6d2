// SPDX-License-Identifier: Apache-2.0
//
// Tests CUB's device-wide selection, unique, run-length encoding, partition and histograms.
#include <algorithm>
#include <cub/device/device_histogram.cuh>
#include <cub/device/device_partition.cuh>
#include <cub/device/device_run_length_encode.cuh>
#include <cub/device/device_select.cuh>

#include "primitives.h"

namespace programs::cub_device_select_test {

constexpr int kCount = 40001;

struct IsOdd {
  __host__ __device__ bool operator()(int value) const { return value % 2 != 0; }
};

// Compares the first results; the device stores how many of them there are.
void expect_first(const DeviceArray<int>& results, const DeviceArray<int>& count, const std::vector<int>& expected) {
  ASSERT_EQ(count.read()[0], static_cast<int>(expected.size()));
  std::vector<int> all = results.read();
  all.resize(expected.size());
  EXPECT_EQ(all, expected);
}

TEST(CubDeviceSelect, SelectIf) {
  const std::vector<int> values = random_numbers(kCount, 1000);
  const DeviceArray<int> in(values), out(kCount), selected(1);
  run_with_workspace([&](void* workspace, std::size_t& bytes) {
    return cub::DeviceSelect::If(workspace, bytes, in.get(), out.get(), selected.get(), kCount, IsOdd());
  });
  std::vector<int> expected;
  std::copy_if(values.begin(), values.end(), std::back_inserter(expected), IsOdd());
  expect_first(out, selected, expected);
}

TEST(CubDeviceSelect, SelectUnique) {
  std::vector<int> values = random_numbers(kCount, 3);
  const DeviceArray<int> in(values), out(kCount), selected(1);
  run_with_workspace([&](void* workspace, std::size_t& bytes) {
    return cub::DeviceSelect::Unique(workspace, bytes, in.get(), out.get(), selected.get(), kCount);
  });
  values.erase(std::unique(values.begin(), values.end()), values.end());
  expect_first(out, selected, values);
}

// The items that are not selected come last, in reverse order.
TEST(CubDeviceSelect, Partition) {
  std::vector<int> values = random_numbers(kCount, 1000);
  const std::vector<char> flags = random_numbers<char>(kCount, 2);
  const DeviceArray<int> in(values), out(kCount), selected(1);
  const DeviceArray<char> device_flags(flags);
  run_with_workspace([&](void* workspace, std::size_t& bytes) {
    return cub::DevicePartition::Flagged(workspace, bytes, in.get(), device_flags.get(), out.get(), selected.get(),
                                         kCount);
  });
  std::vector<int> expected, rejected;
  for (int i = 0; i < kCount; ++i) (flags[i] != 0 ? expected : rejected).push_back(values[i]);
  EXPECT_EQ(selected.read()[0], static_cast<int>(expected.size()));
  expected.insert(expected.end(), rejected.rbegin(), rejected.rend());
  EXPECT_EQ(out.read(), expected);
}

TEST(CubDeviceSelect, RunLengthEncode) {
  const std::vector<int> values = random_numbers(kCount, 2);
  std::vector<int> expected_values, expected_lengths;
  for (int i = 0; i < kCount; ++i) {
    if (i == 0 || values[i] != values[i - 1]) {
      expected_values.push_back(values[i]);
      expected_lengths.push_back(0);
    }
    ++expected_lengths.back();
  }
  const DeviceArray<int> in(values), out(kCount), lengths(kCount), runs(1);
  run_with_workspace([&](void* workspace, std::size_t& bytes) {
    return cub::DeviceRunLengthEncode::Encode(workspace, bytes, in.get(), out.get(), lengths.get(), runs.get(), kCount);
  });
  expect_first(out, runs, expected_values);
  expect_first(lengths, runs, expected_lengths);
}

TEST(CubDeviceSelect, Histogram) {
  constexpr int kBins = 37;
  const std::vector<float> samples = random_numbers<float>(kCount, 50);
  const DeviceArray<float> in(samples);
  const DeviceArray<int> out(kBins);
  run_with_workspace([&](void* workspace, std::size_t& bytes) {
    return cub::DeviceHistogram::HistogramEven(workspace, bytes, in.get(), out.get(), kBins + 1, 1.0f, 1.0f + kBins,
                                               kCount);
  });
  std::vector<int> expected(kBins);
  for (const float sample : samples)
    if (sample >= 1 && sample < 1 + kBins) ++expected[static_cast<std::size_t>(sample) - 1];
  EXPECT_EQ(out.read(), expected);
}

}  // namespace programs::cub_device_select_test
