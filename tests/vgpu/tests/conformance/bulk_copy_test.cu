// SPDX-License-Identifier: Apache-2.0
//
// Tests one-dimensional cp.async.bulk in both directions, and the mbarriers and bulk groups that signal its completion.
#include <cuda/barrier>
#include <cuda/ptx>

#include <cstdint>
#include <numeric>

#include "elementwise.cuh"

namespace bulk_copy_test {

using conformance::code_architecture;
using conformance::DeviceArray;

[[maybe_unused]] constexpr int kStages = 3;
constexpr int kTile = 128, kThreads = 64;

[[maybe_unused]] __device__ std::uint32_t address(const void* at) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(at));
}

// Uses a ring of stages. Thread 0 prefetches tiles; all threads wait for a tile by the parity of its stage, then
// release it.
__global__ void stream(const float* from, float* out, int tiles) {
#if __CUDA_ARCH__ >= 900
  __shared__ alignas(128) float tile[kStages][kTile];
  __shared__ std::uint64_t full[kStages], empty[kStages];
  const int self = static_cast<int>(threadIdx.x);
  if (self == 0) {
    for (int stage = 0; stage < kStages; ++stage) {
      cuda::ptx::mbarrier_init(&full[stage], 1);
      cuda::ptx::mbarrier_init(&empty[stage], kThreads);
    }
    cuda::ptx::fence_mbarrier_init(cuda::ptx::sem_release, cuda::ptx::scope_cluster);
  }
  __syncthreads();
  const auto fetch = [&](int index) {
    const int stage = index % kStages;
    if (index >= kStages)
      while (!cuda::ptx::mbarrier_try_wait_parity(&empty[stage], (index / kStages + 1) % 2))
        ;
    // The tile is copied in two halves; the transaction count of both halves is announced together with the first copy.
    cuda::ptx::mbarrier_arrive_expect_tx(cuda::ptx::sem_release, cuda::ptx::scope_cta, cuda::ptx::space_shared,
                                         &full[stage], kTile * sizeof(float));
    for (int half = 0; half < 2; ++half)
      cuda::ptx::cp_async_bulk(cuda::ptx::space_cluster, cuda::ptx::space_global, &tile[stage][half * kTile / 2],
                               from + index * kTile + half * kTile / 2, kTile / 2 * sizeof(float), &full[stage]);
  };
  if (self == 0)
    for (int index = 0; index < kStages - 1; ++index) fetch(index);
  for (int index = 0; index < tiles; ++index) {
    if (self == 0 && index + kStages - 1 < tiles) fetch(index + kStages - 1);
    const int stage = index % kStages;
    while (!cuda::ptx::mbarrier_try_wait_parity(&full[stage], index / kStages % 2))
      ;
    for (int i = self; i < kTile; i += kThreads) out[index * kTile + i] = 2 * tile[stage][kTile - 1 - i];
    cuda::ptx::mbarrier_arrive(&empty[stage]);
  }
#endif
}

TEST(BulkCopy, StreamOfTiles) {
  if (code_architecture() < 90) GTEST_SKIP() << "cp.async.bulk is of sm_90 and later";
  constexpr int kTiles = 11;
  std::vector<float> numbers(kTiles * kTile);
  std::iota(numbers.begin(), numbers.end(), 1.0f);
  DeviceArray<float> from(numbers), out(numbers.size());
  stream<<<1, kThreads>>>(from.get(), out.get(), kTiles);
  const auto results = out.read();
  for (std::size_t i = 0; i < numbers.size(); ++i)
    ASSERT_EQ(results[i], 2 * numbers[i / kTile * kTile + kTile - 1 - i % kTile]) << i;
}

// Writes to global memory, once as a plain copy and once as a reduction.
__global__ void write_back(float* plain, float* sums, int* least) {
#if __CUDA_ARCH__ >= 900
  __shared__ alignas(16) float tile[kTile];
  __shared__ alignas(16) int numbers[kTile];
  const int self = static_cast<int>(threadIdx.x);
  for (int i = self; i < kTile; i += kThreads) {
    tile[i] = static_cast<float>(i);
    numbers[i] = i - 64;
  }
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  __syncthreads();
  if (self == 0) {
    const std::uint32_t bytes = sizeof tile;
    asm volatile("cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;" ::"l"(plain + blockIdx.x * kTile),
                 "r"(address(tile)), "r"(bytes)
                 : "memory");
    asm volatile("cp.async.bulk.commit_group;" ::: "memory");
    asm volatile("cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32 [%0], [%1], %2;" ::"l"(sums),
                 "r"(address(tile)), "r"(bytes)
                 : "memory");
    asm volatile("cp.reduce.async.bulk.global.shared::cta.bulk_group.min.s32 [%0], [%1], %2;" ::"l"(least),
                 "r"(address(numbers)), "r"(bytes)
                 : "memory");
    asm volatile("cp.async.bulk.commit_group;" ::: "memory");
    asm volatile("cp.async.bulk.wait_group.read 1;" ::: "memory");
    asm volatile("cp.async.bulk.wait_group 0;" ::: "memory");
  }
#endif
}

TEST(BulkCopy, ToGlobalMemory) {
  if (code_architecture() < 90) GTEST_SKIP() << "cp.async.bulk is of sm_90 and later";
  std::vector<float> before(kTile);
  for (int i = 0; i < kTile; ++i) before[i] = 0.25f * static_cast<float>(i);
  constexpr int kBlocks = 5;
  DeviceArray<float> plain(kBlocks * kTile, -1.0f), sums(before);
  DeviceArray<int> least(kTile, 3);
  write_back<<<kBlocks, kThreads>>>(plain.get(), sums.get(), least.get());
  const auto written = plain.read(), summed = sums.read();
  const auto lesser = least.read();
  for (int i = 0; i < kTile; ++i) {
    for (int block = 0; block < kBlocks; ++block) EXPECT_EQ(written[block * kTile + i], static_cast<float>(i));
    EXPECT_EQ(summed[i], 5.25f * i);
    EXPECT_EQ(lesser[i], i - 64 < 3 ? i - 64 : 3);
  }
}

// Updates the transaction count without a copy, and copies within shared memory through an address from mapa.
__global__ void count_bytes(std::uint32_t* out) {
#if __CUDA_ARCH__ >= 900
  __shared__ std::uint64_t barrier;
  __shared__ alignas(16) std::uint32_t from[8], to[8];
  for (std::uint32_t i = 0; i < 8; ++i) from[i] = 100 + i;
  cuda::ptx::mbarrier_init(&barrier, 1);
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], 48;" ::"r"(address(&barrier)) : "memory");
  *out++ = cuda::ptx::mbarrier_test_wait_parity(&barrier, 0);
  asm volatile("mbarrier.complete_tx.relaxed.cluster.shared::cluster.b64 [%0], 16;" ::"r"(address(&barrier))
               : "memory");
  *out++ = cuda::ptx::mbarrier_test_wait_parity(&barrier, 0);
  std::uint32_t mapped, mapped_barrier, rank;
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(mapped) : "r"(address(to)), "r"(0));
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(mapped_barrier) : "r"(address(&barrier)), "r"(0));
  asm("getctarank.shared::cluster.u32 %0, %1;" : "=r"(rank) : "r"(mapped));
  asm volatile(
      "cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%0], [%1], 32, [%2];" ::"r"(mapped),
      "r"(address(from)), "r"(mapped_barrier)
      : "memory");
  while (!cuda::ptx::mbarrier_try_wait_parity(&barrier, 0))
    ;
  *out++ = rank;
  for (std::uint32_t i = 0; i < 8; ++i) *out++ = to[i];
#endif
}

TEST(BulkCopy, BytesAreCounted) {
  if (code_architecture() < 90) GTEST_SKIP() << "cp.async.bulk is of sm_90 and later";
  const std::vector<std::uint32_t> expected{0, 0, 0, 100, 101, 102, 103, 104, 105, 106, 107};
  DeviceArray<std::uint32_t> out(expected.size());
  count_bytes<<<1, 1>>>(out.get());
  EXPECT_EQ(out.read(), expected);
}

}  // namespace bulk_copy_test
