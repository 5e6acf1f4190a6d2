// SPDX-License-Identifier: Apache-2.0
//
// Tests mbarrier: phases, states, participants that drop out, and arrivals triggered by cp.async.
#include <cuda/barrier>

#include <cstdint>
#include <numeric>

#include "elementwise.cuh"

namespace mbarrier_test {

using conformance::code_architecture;
using conformance::DeviceArray;
using Word = std::uint64_t;

[[maybe_unused]] __device__ std::uint32_t address(const void* at) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(at));
}

[[maybe_unused]] __device__ void init(Word* barrier, std::uint32_t count) {
  asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(address(barrier)), "r"(count) : "memory");
}

[[maybe_unused]] __device__ Word arrive(Word* barrier) {
  Word state;
  asm volatile("mbarrier.arrive.shared.b64 %0, [%1];" : "=l"(state) : "r"(address(barrier)) : "memory");
  return state;
}

[[maybe_unused]] __device__ Word arrive_without_completing(Word* barrier, std::uint32_t count) {
  Word state;
  asm volatile("mbarrier.arrive.noComplete.shared.b64 %0, [%1], %2;"
               : "=l"(state)
               : "r"(address(barrier)), "r"(count)
               : "memory");
  return state;
}

[[maybe_unused]] __device__ Word arrive_and_drop(Word* barrier) {
  Word state;
  asm volatile("mbarrier.arrive_drop.shared.b64 %0, [%1];" : "=l"(state) : "r"(address(barrier)) : "memory");
  return state;
}

[[maybe_unused]] __device__ bool passed(Word* barrier, Word state) {
  std::uint32_t complete;
  asm volatile("{.reg .pred p; mbarrier.test_wait.shared.b64 p, [%1], %2; selp.u32 %0, 1, 0, p;}"
               : "=r"(complete)
               : "r"(address(barrier)), "l"(state)
               : "memory");
  return complete != 0;
}

[[maybe_unused]] __device__ bool passed_parity(Word* barrier, std::uint32_t parity) {
  std::uint32_t complete;
  asm volatile("{.reg .pred p; mbarrier.test_wait.parity.shared.b64 p, [%1], %2; selp.u32 %0, 1, 0, p;}"
               : "=r"(complete)
               : "r"(address(barrier)), "r"(parity)
               : "memory");
  return complete != 0;
}

[[maybe_unused]] __device__ std::uint32_t pending(Word state) {
  std::uint32_t count;
  asm("mbarrier.pending_count.b64 %0, %1;" : "=r"(count) : "l"(state));
  return count;
}

// One thread goes through the phases of a barrier and records what it observes.
__global__ void steps(std::uint32_t* out) {
#if __CUDA_ARCH__ >= 800
  __shared__ Word barrier;
  init(&barrier, 3);
  *out++ = passed_parity(&barrier, 1);  // the phase that precedes the first one counts as complete
  *out++ = passed_parity(&barrier, 0);
  const Word first = arrive(&barrier);
  *out++ = pending(first);
  *out++ = passed(&barrier, first);
  const Word second = arrive_without_completing(&barrier, 1);
  *out++ = pending(second);
  const Word third = arrive_and_drop(&barrier);
  *out++ = pending(third);
  *out++ = passed(&barrier, first);
  *out++ = passed(&barrier, third);
  *out++ = passed_parity(&barrier, 0);
  *out++ = passed_parity(&barrier, 1);
  // One participant has dropped out, so the second phase needs two arrivals.
  const Word fourth = arrive(&barrier);
  *out++ = pending(fourth);
  *out++ = passed(&barrier, fourth);
  arrive(&barrier);
  *out++ = passed(&barrier, fourth);
  *out++ = passed_parity(&barrier, 1);
  asm volatile("mbarrier.inval.shared.b64 [%0];" ::"r"(address(&barrier)) : "memory");
#endif
}

TEST(Mbarrier, StepByStep) {
  if (code_architecture() < 80) GTEST_SKIP() << "mbarrier is of sm_80 and later";
  const std::vector<std::uint32_t> expected{1, 0, 3, 0, 2, 1, 1, 1, 1, 0, 2, 0, 1, 1};
  DeviceArray<std::uint32_t> out(expected.size());
  steps<<<1, 1>>>(out.get());
  EXPECT_EQ(out.read(), expected);
}

// Runs many phases of a block's barrier. Values written before the barrier are read by all threads after it.
__global__ void phases(int* out, int rounds) {
#if __CUDA_ARCH__ >= 800
  __shared__ Word barrier;
  extern __shared__ int shared[];
  const int self = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  if (self == 0) init(&barrier, blockDim.x);
  shared[self] = self;
  __syncthreads();
  // Each round has two phases: one is awaited by state, the other by parity.
  for (int round = 0; round < rounds; ++round) {
    const int next = shared[(self + 1) % threads];
    const Word state = arrive(&barrier);
    while (!passed(&barrier, state))
      ;
    shared[self] = next;
    arrive(&barrier);
    while (!passed_parity(&barrier, 1)) __nanosleep(20);
  }
  out[self] = shared[self];
#endif
}

TEST(Mbarrier, PhasesOfABlock) {
  if (code_architecture() < 80) GTEST_SKIP() << "mbarrier is of sm_80 and later";
  for (const int threads : {1, 32, 80, 256}) {
    DeviceArray<int> out(static_cast<std::size_t>(threads));
    phases<<<1, threads, threads * sizeof(int)>>>(out.get(), 5);
    const auto results = out.read();
    for (int self = 0; self < threads; ++self) ASSERT_EQ(results[self], (self + 5) % threads) << threads;
  }
}

// Half of the block copies, and the barrier tells the other half when the data has arrived. With .noinc the copies are
// arrivals that mbarrier.init has counted; without it they increment the pending count.
template <bool counted>
__global__ void copy_and_arrive(const int* from, int* out) {
#if __CUDA_ARCH__ >= 800
  __shared__ Word barrier;
  __shared__ alignas(16) int shared[64 * 4];
  const int self = static_cast<int>(threadIdx.x);
  if (self == 0) init(&barrier, counted ? 64 : 128);
  __syncthreads();
  if (self < 64) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(address(&shared[4 * self])),
                 "l"(__cvta_generic_to_global(&from[4 * self]))
                 : "memory");
    if constexpr (counted) {
      asm volatile("cp.async.mbarrier.arrive.noinc.shared.b64 [%0];" ::"r"(address(&barrier)) : "memory");
    } else {
      asm volatile("cp.async.mbarrier.arrive.shared.b64 [%0];" ::"r"(address(&barrier)) : "memory");
      arrive(&barrier);
    }
  } else {
    if constexpr (!counted) arrive(&barrier);
    while (!passed_parity(&barrier, 0))
      ;
    for (int i = 0; i < 4; ++i) out[4 * (self - 64) + i] = shared[255 - 4 * (self - 64) - i];
  }
#endif
}

template <bool counted>
void check_copy_and_arrive() {
  std::vector<int> numbers(256);
  std::iota(numbers.begin(), numbers.end(), 1000);
  DeviceArray<int> from(numbers), out(numbers.size());
  copy_and_arrive<counted><<<1, 128>>>(from.get(), out.get());
  const auto results = out.read();
  for (std::size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(results[i], numbers[255 - i]) << i;
}

TEST(Mbarrier, CopiesArrive) {
  if (code_architecture() < 80) GTEST_SKIP() << "mbarrier is of sm_80 and later";
  check_copy_and_arrive<true>();
  check_copy_and_arrive<false>();
}

// Tests cuda::barrier with producers and consumers in different roles, and with a thread that drops out.
__global__ void barriers(const int* from, int* out) {
  using Barrier = cuda::barrier<cuda::thread_scope_block>;
  __shared__ alignas(Barrier) unsigned char room[2 * sizeof(Barrier)];
  __shared__ int shared[64];
  auto* barrier = reinterpret_cast<Barrier*>(room);
  const int self = static_cast<int>(threadIdx.x);
  if (self == 0) {
    init(&barrier[0], 96);
    init(&barrier[1], 96);
  }
  __syncthreads();
  if (self >= 64) {
    for (int i = self - 64; i < 64; i += 32) shared[i] = from[i];
    barrier[0].arrive_and_drop();
    barrier[1].arrive_and_drop();
    return;
  }
  barrier[0].arrive_and_wait();
  const int seen = shared[63 - self];
  auto token = barrier[1].arrive();
  barrier[1].wait(std::move(token));
  shared[self] = seen;
  barrier[0].arrive_and_wait();
  out[self] = shared[63 - self];
}

TEST(Mbarrier, BarriersOfTheStandardLibrary) {
  std::vector<int> numbers(64);
  std::iota(numbers.begin(), numbers.end(), 7);
  DeviceArray<int> from(numbers), out(64);
  barriers<<<1, 96>>>(from.get(), out.get());
  EXPECT_EQ(out.read(), numbers);
}

}  // namespace mbarrier_test
