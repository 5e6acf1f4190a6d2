// SPDX-License-Identifier: Apache-2.0
//
// Programs that order their accesses by other means than a block barrier. They must pass, and must be reported once the
// synchronisation is removed.
#include "findings.h"

namespace synchronisation_test {

using faults::Faults;

class Synchronisation : public Faults {};

constexpr int kBlocks = 6;
constexpr int kThreads = 96;
constexpr int kRounds = 5;

// ---- locks ----------------------------------------------------------------------------------------------------------

// Each thread adds to a sum that a lock protects, and releases the lock with or without a fence before it.
template <bool fences>
__global__ void locked_sum(int* lock, int* sum) {
  bool done = false;
  while (!done) {
    if (atomicCAS(lock, 0, 1) != 0) continue;
    *sum += 1;
    if (fences) __threadfence();
    atomicExch(lock, 0);
    done = true;
  }
}

TEST_F(Synchronisation, spin_lock) {
  int* lock = zeros<int>(1);
  int* sum = zeros<int>(1);
  expect_clean([=] { locked_sum<true><<<kBlocks, kThreads>>>(lock, sum); });
  int total = 0;
  ASSERT_EQ(cudaMemcpy(&total, sum, sizeof total, cudaMemcpyDeviceToHost), cudaSuccess);
  EXPECT_EQ(total, kBlocks * kThreads);
  expect_finding(cudaErrorLaunchFailure, {"race: "}, [=] { locked_sum<false><<<kBlocks, kThreads>>>(lock, sum); });
}

// ---- flags ----------------------------------------------------------------------------------------------------------

enum class Flag { kVolatile, kAcquire, kPlain, kNoFence };

__device__ void raise(int* flag, Flag how) {
  if (how == Flag::kAcquire) {
    asm volatile("st.release.gpu.u32 [%0], 1;" ::"l"(flag) : "memory");
    return;
  }
  if (how != Flag::kNoFence) __threadfence();
  if (how == Flag::kPlain) {
    *flag = 1;
  } else {
    *static_cast<volatile int*>(flag) = 1;
  }
}

__device__ void await(const int* flag, Flag how) {
  int value = 0;
  while (value == 0) {
    if (how == Flag::kAcquire) {
      asm volatile("ld.acquire.gpu.u32 %0, [%1];" : "=r"(value) : "l"(flag) : "memory");
    } else {
      value = *static_cast<const volatile int*>(flag);
    }
  }
}

// Each block adds to the result of the previous block. One thread waits, and one signals, on behalf of the block.
template <Flag how>
__global__ void chain(int* flags, int* values) {
  if (blockIdx.x > 0 && threadIdx.x == 0) await(flags + blockIdx.x - 1, how);
  __syncthreads();
  const int before = blockIdx.x == 0 ? 0 : values[(blockIdx.x - 1) * kThreads + (threadIdx.x + 1) % kThreads];
  values[blockIdx.x * kThreads + threadIdx.x] = before + 1;
  __syncthreads();
  if (threadIdx.x == kThreads - 1) raise(flags + blockIdx.x, how);
}

template <Flag how>
void launch_chain(int* flags, int* values) {
  cudaMemset(flags, 0, kBlocks * sizeof(int));
  chain<how><<<kBlocks, kThreads>>>(flags, values);
}

TEST_F(Synchronisation, flags_between_blocks) {
  int* flags = allocated<int>(kBlocks);
  int* values = zeros<int>(kBlocks * kThreads);
  expect_clean([=] { launch_chain<Flag::kVolatile>(flags, values); });
  expect_clean([=] { launch_chain<Flag::kAcquire>(flags, values); });
  expect_finding(cudaErrorLaunchFailure, {"race: read of 4 bytes"},
                 [=] { launch_chain<Flag::kNoFence>(flags, values); });
}

TEST_F(Synchronisation, plain_flag) {
  int* flags = allocated<int>(kBlocks);
  int* values = zeros<int>(kBlocks * kThreads);
  expect_finding(cudaErrorLaunchFailure, {"race: "}, [=] { launch_chain<Flag::kPlain>(flags, values); });
}

// The flag and the value share one word, so no other ordering is needed.
__global__ void look_back(unsigned long long* states, int* sums) {
  __shared__ int before;
  if (threadIdx.x == 0) {
    before = 0;
    if (blockIdx.x > 0) {
      unsigned long long state = 0;
      while (state >> 32 == 0) state = *static_cast<volatile unsigned long long*>(states + blockIdx.x - 1);
      before = static_cast<int>(state);
    }
    *static_cast<volatile unsigned long long*>(states + blockIdx.x) = 1ull << 32 | (before + kThreads);
  }
  __syncthreads();
  sums[blockIdx.x * kThreads + threadIdx.x] = before + threadIdx.x;
}

TEST_F(Synchronisation, look_back_without_fences) {
  unsigned long long* states = zeros<unsigned long long>(kBlocks);
  int* sums = allocated<int>(kBlocks * kThreads);
  expect_clean([=] { look_back<<<kBlocks, kThreads>>>(states, sums); });
}

// ---- barriers of a grid and of parts of a block ---------------------------------------------------------------------

// Every thread executes a fence before the barrier of its block, and one thread signals on behalf of the whole block.
__device__ void meet_grid(unsigned* arrived, unsigned round) {
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) {
    atomicAdd(arrived, 1);
    while (*static_cast<volatile unsigned*>(arrived) < round * gridDim.x) {
    }
    __threadfence();
  }
  __syncthreads();
}

template <bool meets>
__global__ void rotate(unsigned* arrived, int* data) {
  const unsigned count = gridDim.x * blockDim.x;
  const unsigned self = blockIdx.x * blockDim.x + threadIdx.x;
  for (unsigned round = 1; round < kRounds; ++round) {
    data[round * count + self] = data[(round - 1) * count + (self + kThreads) % count] + 1;
    if (meets) meet_grid(arrived, round);
  }
}

template <bool meets>
void launch_rotate(unsigned* arrived, int* data) {
  void* arguments[] = {&arrived, &data};
  EXPECT_EQ(cudaLaunchCooperativeKernel(rotate<meets>, dim3(kBlocks), dim3(kThreads), arguments, 0, nullptr),
            cudaSuccess);
}

TEST_F(Synchronisation, barrier_of_a_grid) {
  unsigned* arrived = zeros<unsigned>(1);
  int* data = zeros<int>(kRounds * kBlocks * kThreads);
  expect_clean([=] { launch_rotate<true>(arrived, data); });
  expect_finding(cudaErrorLaunchFailure, {"race: "}, [=] { launch_rotate<false>(arrived, data); });
}

// The first warp fills one of two buffers while the other warps read the other buffer. Barriers 1 and 2 signal "full",
// barriers 3 and 4 signal "free".
template <bool full, bool free>
__global__ void producer(int* out) {
  __shared__ int buffers[2][32];
  const int lane = threadIdx.x % 32;
  if (threadIdx.x < 32) {
    for (int round = 0; round < kRounds; ++round) {
      const int buffer = round % 2;
      if (free && round > 1) asm volatile("bar.sync %0, 96;" ::"r"(3 + buffer) : "memory");
      buffers[buffer][lane] = round;
      if (full) asm volatile("bar.arrive %0, 96;" ::"r"(1 + buffer) : "memory");
    }
  } else {
    int sum = 0;
    for (int round = 0; round < kRounds; ++round) {
      const int buffer = round % 2;
      if (full) asm volatile("bar.sync %0, 96;" ::"r"(1 + buffer) : "memory");
      sum += buffers[buffer][31 - lane];
      if (free && round < kRounds - 2) asm volatile("bar.arrive %0, 96;" ::"r"(3 + buffer) : "memory");
    }
    out[threadIdx.x] = sum;
  }
}

TEST_F(Synchronisation, producer_and_consumers) {
  int* out = zeros<int>(kThreads);
  expect_clean([=] { producer<true, true><<<1, kThreads>>>(out); });
  int sum = 0;
  ASSERT_EQ(cudaMemcpy(&sum, out + 32, sizeof sum, cudaMemcpyDeviceToHost), cudaSuccess);
  EXPECT_EQ(sum, kRounds * (kRounds - 1) / 2);
  // Two arrivals of the producer may complete a barrier, even without the consumers.
  expect_finding(cudaErrorLaunchFailure, {}, [=] { producer<true, false><<<1, kThreads>>>(out); });
}

TEST_F(Synchronisation, producer_that_does_not_tell) {
  int* out = zeros<int>(kThreads);
  expect_finding(cudaErrorLaunchFailure, {}, [=] { producer<false, false><<<1, kThreads>>>(out); });
}

// Two of three warps synchronise at a named barrier of their own.
__global__ void pairs(int* out, int reader) {
  __shared__ int words[kThreads];
  words[threadIdx.x] = 0;
  __syncthreads();
  words[threadIdx.x] = threadIdx.x;
  const int warp = threadIdx.x / 32;
  if (warp < 2) asm volatile("bar.sync 5, 64;" ::: "memory");
  if (warp == reader) out[threadIdx.x] = words[(threadIdx.x + 32) % 64];
}

TEST_F(Synchronisation, barrier_of_two_warps) {
  int* out = allocated<int>(kThreads);
  expect_clean([=] { pairs<<<1, kThreads>>>(out, 0); });
  expect_clean([=] { pairs<<<1, kThreads>>>(out, 1); });
  expect_finding(cudaErrorLaunchFailure, {"race: "}, [=] { pairs<<<1, kThreads>>>(out, 2); });
}

// ---- mbarrier -------------------------------------------------------------------------------------------------------

template <bool waits>
__global__ void hand_over(int* out) {
#if __CUDA_ARCH__ >= 800
  __shared__ unsigned long long barrier;
  __shared__ int words[32];
  const auto place = static_cast<unsigned>(__cvta_generic_to_shared(&barrier));
  if (threadIdx.x == 0) asm volatile("mbarrier.init.shared.b64 [%0], 32;" ::"r"(place) : "memory");
  __syncthreads();
  if (threadIdx.x < 32) {
    words[threadIdx.x] = threadIdx.x;
    asm volatile("{.reg .b64 state; mbarrier.arrive.shared.b64 state, [%0];}" ::"r"(place) : "memory");
  } else {
    int complete = waits ? 0 : 1;
    while (complete == 0)
      asm volatile("{.reg .pred p; mbarrier.test_wait.parity.shared.b64 p, [%1], 0; selp.u32 %0, 1, 0, p;}"
                   : "=r"(complete)
                   : "r"(place)
                   : "memory");
    out[threadIdx.x - 32] = words[63 - threadIdx.x];
  }
#endif
}

TEST_F(Synchronisation, mbarrier) {
  if (architecture() < 80) GTEST_SKIP() << "mbarrier needs sm_80";
  int* out = zeros<int>(32);
  expect_clean([=] { hand_over<true><<<1, 64>>>(out); });
  expect_finding(cudaErrorLaunchFailure, {}, [=] { hand_over<false><<<1, 64>>>(out); });
}

}  // namespace synchronisation_test
