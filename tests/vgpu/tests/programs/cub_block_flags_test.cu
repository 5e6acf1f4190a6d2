// SPDX-License-Identifier: Apache-2.0
//
// Tests CUB's block-wide discontinuities, adjacent differences, run-length decoding and histograms.
#include <algorithm>
#include <cub/block/block_adjacent_difference.cuh>
#include <cub/block/block_discontinuity.cuh>
#include <cub/block/block_histogram.cuh>
#include <cub/block/block_load.cuh>
#include <cub/block/block_run_length_decode.cuh>
#include <cub/block/block_store.cuh>

#include "primitives.h"

namespace programs::cub_block_flags_test {

constexpr int kThreads = 64, kItems = 4, kTile = kThreads * kItems;

struct Differ {
  __device__ bool operator()(int a, int b) const { return a != b; }
};
struct Minus {
  __device__ int operator()(int a, int b) const { return a - b; }
};

__global__ void look_at_neighbours(const int* in, int* heads, int* tails, int* differences) {
  using Discontinuity = cub::BlockDiscontinuity<int, kThreads>;
  using Difference = cub::BlockAdjacentDifference<int, kThreads>;
  __shared__ typename Discontinuity::TempStorage for_flags;
  __shared__ typename Difference::TempStorage for_differences;
  const int thread = static_cast<int>(threadIdx.x);
  int items[kItems], head[kItems], tail[kItems], difference[kItems];
  cub::LoadDirectBlocked(thread, in, items);
  Discontinuity(for_flags).FlagHeadsAndTails(head, tail, items, Differ());
  Difference(for_differences).SubtractLeft(items, difference, Minus());
  cub::StoreDirectBlocked(thread, heads, head);
  cub::StoreDirectBlocked(thread, tails, tail);
  cub::StoreDirectBlocked(thread, differences, difference);
}

TEST(CubBlockFlags, DiscontinuitiesAndDifferences) {
  const std::vector<int> values = random_numbers(kTile, 3);
  const DeviceArray<int> in(values), heads(kTile), tails(kTile), differences(kTile);
  look_at_neighbours<<<1, kThreads>>>(in.get(), heads.get(), tails.get(), differences.get());
  std::vector<int> expected_heads, expected_tails, expected_differences;
  for (int i = 0; i < kTile; ++i) {
    expected_heads.push_back(i == 0 || values[i] != values[i - 1]);
    expected_tails.push_back(i + 1 == kTile || values[i] != values[i + 1]);
    expected_differences.push_back(i == 0 ? values[i] : values[i] - values[i - 1]);
  }
  EXPECT_EQ(heads.read(), expected_heads);
  EXPECT_EQ(tails.read(), expected_tails);
  EXPECT_EQ(differences.read(), expected_differences);
}

constexpr int kBins = 50;

template <cub::BlockHistogramAlgorithm kAlgorithm>
__global__ void histogram(const unsigned char* in, unsigned* out) {
  using Histogram = cub::BlockHistogram<unsigned char, kThreads, kItems, kBins, kAlgorithm>;
  __shared__ typename Histogram::TempStorage storage;
  __shared__ unsigned bins[kBins];
  unsigned char items[kItems];
  cub::LoadDirectBlocked(static_cast<int>(threadIdx.x), in, items);
  Histogram(storage).Histogram(items, bins);
  __syncthreads();
  if (threadIdx.x < kBins) out[threadIdx.x] = bins[threadIdx.x];
}

template <cub::BlockHistogramAlgorithm kAlgorithm>
void check_histogram() {
  const auto samples = random_numbers<unsigned char>(kTile, kBins);
  const DeviceArray<unsigned char> in(samples);
  const DeviceArray<unsigned> out(kBins);
  histogram<kAlgorithm><<<1, kThreads>>>(in.get(), out.get());
  std::vector<unsigned> expected(kBins);
  for (const unsigned char sample : samples) ++expected[sample];
  EXPECT_EQ(out.read(), expected);
}

TEST(CubBlockFlags, HistogramByAtomics) { check_histogram<cub::BLOCK_HISTO_ATOMIC>(); }
TEST(CubBlockFlags, HistogramBySorting) { check_histogram<cub::BLOCK_HISTO_SORT>(); }

constexpr int kRuns = 2, kDecoded = 3;  // per thread

__global__ void decode_runs(const int* values, const int* lengths, int* out, int* total) {
  using Decode = cub::BlockRunLengthDecode<int, kThreads, kRuns, kDecoded>;
  __shared__ typename Decode::TempStorage storage;
  const int thread = static_cast<int>(threadIdx.x);
  int value[kRuns], length[kRuns];
  cub::LoadDirectBlocked(thread, values, value);
  cub::LoadDirectBlocked(thread, lengths, length);
  int all = 0;
  Decode decode(storage, value, length, all);
  for (int first = 0; first < all; first += kThreads * kDecoded) {
    int items[kDecoded];
    decode.RunLengthDecode(items, first);
    cub::StoreDirectBlocked(thread, out + first, items, all - first);
  }
  if (thread == 0) *total = all;
}

TEST(CubBlockFlags, RunLengthDecode) {
  const std::vector<int> values = random_numbers(kThreads * kRuns, 1000);
  std::vector<int> lengths = random_numbers(kThreads * kRuns, 9), expected;
  for (int& length : lengths) ++length;
  for (std::size_t run = 0; run < values.size(); ++run) expected.insert(expected.end(), lengths[run], values[run]);
  const DeviceArray<int> device_values(values), device_lengths(lengths), out(expected.size()), total(1);
  decode_runs<<<1, kThreads>>>(device_values.get(), device_lengths.get(), out.get(), total.get());
  EXPECT_EQ(total.read()[0], static_cast<int>(expected.size()));
  EXPECT_EQ(out.read(), expected);
}

}  // namespace programs::cub_block_flags_test
