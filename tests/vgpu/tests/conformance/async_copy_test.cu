// SPDX-License-Identifier: Apache-2.0
//
// Tests cp.async (copy sizes, zero fill and groups) and the C++ interfaces that are built on it.
#include <cooperative_groups.h>
#include <cooperative_groups/memcpy_async.h>
#include <cuda_pipeline.h>
#include <cuda/barrier>
#include <cuda/pipeline>

#include <cstdint>
#include <numeric>

#include "elementwise.cuh"

namespace async_copy_test {

using conformance::code_architecture;
using conformance::DeviceArray;

constexpr int kThreads = 96;

std::vector<std::uint8_t> bytes_to_copy(std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(1 + i * 31 % 255);
  return bytes;
}

__device__ std::uint32_t shared_address(const void* at) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(at));
}

// ---- instructions ---------------------------------------------------------------------------------------------------

template <int size, bool past_l1>
__device__ void copy(void* to, const void* from) {
  if constexpr (past_l1)
    asm volatile("cp.async.cg.shared.global [%0], [%1], %2;" ::"r"(shared_address(to)),
                 "l"(__cvta_generic_to_global(from)), "n"(size)
                 : "memory");
  else
    asm volatile("cp.async.ca.shared.global.L2::128B [%0], [%1], %2;" ::"r"(shared_address(to)),
                 "l"(__cvta_generic_to_global(from)), "n"(size)
                 : "memory");
}

template <int size>
__device__ void copy_part(void* to, const void* from, std::uint32_t bytes) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared_address(to)),
               "l"(__cvta_generic_to_global(from)), "n"(size), "r"(bytes)
               : "memory");
}

[[maybe_unused]] __device__ void copy_unless(void* to, const void* from, bool ignore) {
  asm volatile(
      "{.reg .pred p; setp.ne.u32 p, %2, 0;\n"
      "cp.async.ca.shared.global [%0], [%1], 8, p;}" ::"r"(shared_address(to)),
      "l"(__cvta_generic_to_global(from)), "r"(static_cast<std::uint32_t>(ignore))
      : "memory");
}

[[maybe_unused]] __device__ void commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int groups>
__device__ void wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(groups) : "memory");
}

// Each thread copies its own element and then reads the element of the next thread.
template <int size, bool past_l1>
__global__ void copy_pieces(const std::uint8_t* from, std::uint8_t* out) {
#if __CUDA_ARCH__ >= 800
  __shared__ alignas(16) std::uint8_t shared[kThreads * size];
  const int self = static_cast<int>(threadIdx.x), next = (self + 1) % kThreads;
  copy<size, past_l1>(&shared[self * size], &from[self * size]);
  commit();
  wait<0>();
  __syncthreads();
  for (int i = 0; i < size; ++i) out[next * size + i] = shared[next * size + i];
#endif
}

template <int size, bool past_l1>
void check_pieces() {
  const auto bytes = bytes_to_copy(kThreads * size);
  DeviceArray<std::uint8_t> from(bytes), out(bytes.size());
  copy_pieces<size, past_l1><<<1, kThreads>>>(from.get(), out.get());
  EXPECT_EQ(out.read(), bytes) << size;
}

TEST(AsyncCopy, Sizes) {
  if (code_architecture() < 80) GTEST_SKIP() << "cp.async is of sm_80 and later";
  check_pieces<4, false>();
  check_pieces<8, false>();
  check_pieces<16, false>();
  check_pieces<16, true>();
}

// Each lane copies a different number of bytes. If that number is 0, the source address may be invalid.
__global__ void copy_parts(const std::uint8_t* from, std::uint8_t* out) {
#if __CUDA_ARCH__ >= 800
  __shared__ alignas(16) std::uint8_t shared[32 * 16], ignored[32 * 8];
  const std::uint32_t lane = threadIdx.x, bytes = lane % 17;
  for (int i = 0; i < 16; ++i) shared[lane * 16 + i] = 0xee;
  for (int i = 0; i < 8; ++i) ignored[lane * 8 + i] = 0xee;
  copy_part<16>(&shared[lane * 16], bytes == 0 ? nullptr : &from[lane * 16], bytes);
  copy_unless(&ignored[lane * 8], &from[lane * 8], lane % 3 == 0);
  asm volatile("cp.async.wait_all;" ::: "memory");
  __syncwarp();
  for (int i = 0; i < 16; ++i) out[lane * 16 + i] = shared[lane * 16 + i];
  for (int i = 0; i < 8; ++i) out[512 + lane * 8 + i] = ignored[lane * 8 + i];
#endif
}

TEST(AsyncCopy, FillsWithZeros) {
  if (code_architecture() < 80) GTEST_SKIP() << "cp.async is of sm_80 and later";
  // The last lane copies 31 % 17 = 14 bytes, which are the last bytes of the allocation.
  const auto bytes = bytes_to_copy(31 * 16 + 14);
  DeviceArray<std::uint8_t> from(bytes), out(512 + 256);
  copy_parts<<<1, 32>>>(from.get(), out.get());
  const auto results = out.read();
  for (std::size_t i = 0; i < 512; ++i) EXPECT_EQ(results[i], i % 16 < i / 16 % 17 ? bytes[i] : 0) << i;
  for (std::size_t i = 0; i < 256; ++i) EXPECT_EQ(results[512 + i], i / 8 % 3 == 0 ? 0 : bytes[i]) << i;
}

// Uses a ring of three buffers that is filled two groups ahead. Empty groups count as groups, too.
__global__ void ring(const int* from, int* out, int groups) {
#if __CUDA_ARCH__ >= 800
  __shared__ int shared[3][kThreads];
  const int self = static_cast<int>(threadIdx.x);
  for (int group = 0; group < 2; ++group) {
    copy<4, false>(&shared[group][self], &from[group * kThreads + self]);
    commit();
  }
  for (int group = 0; group < groups; ++group) {
    if (group + 2 < groups) copy<4, false>(&shared[(group + 2) % 3][self], &from[(group + 2) * kThreads + self]);
    commit();
    wait<2>();
    out[group * kThreads + self] = 2 * shared[group % 3][self];
  }
#endif
}

TEST(AsyncCopy, GroupsCompleteInOrder) {
  if (code_architecture() < 80) GTEST_SKIP() << "cp.async is of sm_80 and later";
  constexpr int kGroups = 8;
  std::vector<int> numbers(kGroups * kThreads);
  std::iota(numbers.begin(), numbers.end(), 5);
  DeviceArray<int> from(numbers), out(numbers.size());
  ring<<<1, kThreads>>>(from.get(), out.get(), kGroups);
  const auto results = out.read();
  for (std::size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(results[i], 2 * numbers[i]) << i;
}

// One wait may complete several groups.
__global__ void three_groups(const int* from, int* out) {
#if __CUDA_ARCH__ >= 800
  __shared__ int shared[3][kThreads];
  const int self = static_cast<int>(threadIdx.x);
  for (int group = 0; group < 3; ++group) {
    copy<4, false>(&shared[group][self], &from[group * kThreads + self]);
    commit();
  }
  wait<1>();
  for (int group = 0; group < 2; ++group) out[group * kThreads + self] = shared[group][self];
  wait<0>();
  out[2 * kThreads + self] = shared[2][self];
#endif
}

TEST(AsyncCopy, WaitsForSeveralGroups) {
  if (code_architecture() < 80) GTEST_SKIP() << "cp.async is of sm_80 and later";
  std::vector<int> numbers(3 * kThreads);
  std::iota(numbers.begin(), numbers.end(), 1);
  DeviceArray<int> from(numbers), out(numbers.size());
  three_groups<<<1, kThreads>>>(from.get(), out.get());
  EXPECT_EQ(out.read(), numbers);
}

// ---- C++ ------------------------------------------------------------------------------------------------------------

__global__ void primitives(const int4* from, int4* out) {
  __shared__ int4 shared[2][kThreads];
  const int self = static_cast<int>(threadIdx.x);
  __pipeline_memcpy_async(&shared[0][self], &from[self], sizeof(int4));
  __pipeline_commit();
  __pipeline_memcpy_async(&shared[1][self], &from[kThreads + self], sizeof(int4), 8);
  __pipeline_commit();
  __pipeline_wait_prior(1);
  __syncthreads();
  out[self] = shared[0][kThreads - 1 - self];
  __pipeline_wait_prior(0);
  __syncthreads();
  out[kThreads + self] = shared[1][kThreads - 1 - self];
}

std::vector<int4> quads(std::size_t count) {
  std::vector<int4> all(count);
  for (int i = 0; i < static_cast<int>(count); ++i) all[static_cast<std::size_t>(i)] = int4{i, -i, 3 * i, i ^ 0x55};
  return all;
}

void expect_quad(const int4& got, const int4& wanted) {
  EXPECT_EQ(got.x, wanted.x);
  EXPECT_EQ(got.y, wanted.y);
  EXPECT_EQ(got.z, wanted.z);
  EXPECT_EQ(got.w, wanted.w);
}

TEST(AsyncCopy, PipelinePrimitives) {
  const auto values = quads(2 * kThreads);
  DeviceArray<int4> from(values), out(values.size());
  primitives<<<1, kThreads>>>(from.get(), out.get());
  const auto results = out.read();
  for (std::size_t i = 0; i < kThreads; ++i) {
    expect_quad(results[i], values[kThreads - 1 - i]);
    const int4& second = values[2 * kThreads - 1 - i];
    expect_quad(results[kThreads + i], int4{second.x, second.y, 0, 0});
  }
}

// The whole block shares a pipeline of two stages.
__global__ void pipeline(const int4* from, int4* out, int batches) {
  namespace cg = cooperative_groups;
  __shared__ alignas(16) unsigned char room[sizeof(cuda::pipeline_shared_state<cuda::thread_scope_block, 2>)];
  __shared__ alignas(16) int4 shared[2][kThreads];
  auto* state = reinterpret_cast<cuda::pipeline_shared_state<cuda::thread_scope_block, 2>*>(room);
  const auto block = cg::this_thread_block();
  auto pipe = cuda::make_pipeline(block, state);
  for (int batch = 0, fetched = 0; batch < batches; ++batch) {
    for (; fetched < batches && fetched < batch + 2; ++fetched) {
      pipe.producer_acquire();
      cuda::memcpy_async(block, shared[fetched % 2], from + fetched * kThreads,
                         cuda::aligned_size_t<16>(sizeof shared[0]), pipe);
      pipe.producer_commit();
    }
    pipe.consumer_wait();
    out[batch * kThreads + block.thread_rank()] = shared[batch % 2][kThreads - 1 - block.thread_rank()];
    pipe.consumer_release();
  }
}

TEST(AsyncCopy, PipelineOfABlock) {
  constexpr std::size_t kBatches = 5;
  const auto values = quads(kBatches * kThreads);
  DeviceArray<int4> from(values), out(values.size());
  pipeline<<<1, kThreads>>>(from.get(), out.get(), kBatches);
  const auto results = out.read();
  for (std::size_t i = 0; i < values.size(); ++i)
    expect_quad(results[i], values[i / kThreads * kThreads + kThreads - 1 - i % kThreads]);
}

__global__ void group_copy(const int4* from, int4* out) {
  namespace cg = cooperative_groups;
  __shared__ int4 shared[kThreads];
  const auto block = cg::this_thread_block();
  cg::memcpy_async(block, shared, from, sizeof shared);
  cg::wait(block);
  out[block.thread_rank()] = shared[kThreads - 1 - block.thread_rank()];
}

TEST(AsyncCopy, CooperativeGroups) {
  const auto values = quads(kThreads);
  DeviceArray<int4> from(values), out(values.size());
  group_copy<<<1, kThreads>>>(from.get(), out.get());
  const auto results = out.read();
  for (std::size_t i = 0; i < kThreads; ++i) expect_quad(results[i], values[kThreads - 1 - i]);
}

}  // namespace async_copy_test
