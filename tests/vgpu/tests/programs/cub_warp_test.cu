// SPDX-License-Identifier: Apache-2.0
//
// Tests CUB's warp-wide primitives, for full and logical warps.
#include <algorithm>
#include <cub/warp/warp_exchange.cuh>
#include <cub/warp/warp_merge_sort.cuh>
#include <cub/warp/warp_reduce.cuh>
#include <cub/warp/warp_scan.cuh>
#include <numeric>

#include "primitives.h"

namespace programs::cub_warp_test {

constexpr int kThreads = 128;

struct OfLane {
  int sum, greatest_of_some, segment_sum, sum_so_far, greatest_before, greatest;
};

// The result of a reduction is defined only in the first lane of a warp, and that of a segmented reduction only in the
// first lane of a segment.
template <int kWidth>
__global__ void reduce_and_scan(const int* in, const int* heads, int some, OfLane* out) {
  using Reduce = cub::WarpReduce<int, kWidth>;
  using Scan = cub::WarpScan<int, kWidth>;
  __shared__ typename Reduce::TempStorage for_sum[kThreads / kWidth], for_some[kThreads / kWidth],
      for_segments[kThreads / kWidth];
  __shared__ typename Scan::TempStorage for_sums[kThreads / kWidth], for_greatest[kThreads / kWidth];
  const int warp = static_cast<int>(threadIdx.x) / kWidth;
  const int value = in[threadIdx.x];
  OfLane result;
  result.sum = Reduce(for_sum[warp]).Sum(value);
  result.greatest_of_some = Reduce(for_some[warp]).Reduce(value, cuda::maximum<>{}, some);
  result.segment_sum = Reduce(for_segments[warp]).HeadSegmentedSum(value, heads[threadIdx.x]);
  Scan(for_sums[warp]).InclusiveSum(value, result.sum_so_far);
  Scan(for_greatest[warp]).ExclusiveScan(value, result.greatest_before, 1000, cuda::maximum<>{}, result.greatest);
  out[threadIdx.x] = result;
}

template <int kWidth>
void check_reduce_and_scan(int threads) {
  constexpr int kSome = kWidth - 3;
  const std::vector<int> values = random_numbers(threads, 2000), heads = random_numbers(threads + 1, 2);
  const DeviceArray<int> in(values), device_heads(heads);
  const DeviceArray<OfLane> out(threads);
  reduce_and_scan<kWidth><<<1, threads>>>(in.get(), device_heads.get(), kSome, out.get());
  const std::vector<OfLane> results = out.read();
  for (int first = 0; first < threads; first += kWidth) {
    const auto begin = values.begin() + first;
    EXPECT_EQ(results[first].sum, std::accumulate(begin, begin + kWidth, 0));
    EXPECT_EQ(results[first].greatest_of_some, *std::max_element(begin, begin + kSome));
    int sum = 0, greatest = 1000;
    for (int i = first; i < first + kWidth; ++i) {
      EXPECT_EQ(results[i].greatest_before, greatest) << i;
      sum += values[i];
      greatest = std::max(greatest, values[i]);
      EXPECT_EQ(results[i].sum_so_far, sum) << i;
      EXPECT_EQ(results[i].greatest, *std::max_element(begin, begin + kWidth)) << i;
      if (i > first && heads[i] == 0) continue;
      int segment = values[i];
      for (int next = i + 1; next < first + kWidth && heads[next] == 0; ++next) segment += values[next];
      EXPECT_EQ(results[i].segment_sum, segment) << i;
    }
  }
}

TEST(CubWarp, ReduceAndScan) { check_reduce_and_scan<32>(kThreads); }
TEST(CubWarp, ReduceAndScanOfLogicalWarps) { check_reduce_and_scan<8>(kThreads); }
TEST(CubWarp, ReduceAndScanOfAWarpThatIsNoPowerOfTwo) { check_reduce_and_scan<24>(24); }

// Each warp sorts its items in a striped arrangement: lane l has the items with rank l, l + kWidth, ...
template <int kWidth, int kItems>
__global__ void sort_and_exchange(const int* in, int* out) {
  using Sort = cub::WarpMergeSort<int, kItems, kWidth>;
  using Exchange = cub::WarpExchange<int, kItems, kWidth>;
  __shared__ typename Sort::TempStorage for_sort[kThreads / kWidth];
  __shared__ typename Exchange::TempStorage for_exchange[kThreads / kWidth];
  const int warp = static_cast<int>(threadIdx.x) / kWidth, lane = static_cast<int>(threadIdx.x) % kWidth;
  int items[kItems];
  for (int i = 0; i < kItems; ++i) items[i] = in[threadIdx.x * kItems + i];
  Sort(for_sort[warp]).Sort(items, cuda::std::less<>{});
  Exchange(for_exchange[warp]).BlockedToStriped(items, items);
  for (int i = 0; i < kItems; ++i) out[(warp * kItems + i) * kWidth + lane] = items[i];
}

TEST(CubWarp, SortAndExchange) {
  constexpr int kWidth = 16, kItems = 5;
  std::vector<int> values = random_numbers(kThreads * kItems, 500);
  const DeviceArray<int> in(values), out(values.size());
  sort_and_exchange<kWidth, kItems><<<1, kThreads>>>(in.get(), out.get());
  for (auto first = values.begin(); first != values.end(); first += kWidth * kItems)
    std::sort(first, first + kWidth * kItems);
  EXPECT_EQ(out.read(), values);
}

}  // namespace programs::cub_warp_test
