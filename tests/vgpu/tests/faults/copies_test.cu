// SPDX-License-Identifier: Apache-2.0
//
// Tests asynchronous copies to shared memory whose data is accessed too early.
#include "findings.h"

namespace copies_test {

using faults::Faults;

constexpr int kThreads = 64;

class Copies : public Faults {
 protected:
  void SetUp() override {
    Faults::SetUp();
    if (!IsSkipped() && architecture() < 80) GTEST_SKIP() << "cp.async needs sm_80";
  }
};

enum class Missing { kNothing, kWait, kCommit, kBarrier };

[[maybe_unused]] __device__ unsigned shared_address(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

// Each thread copies one word and reads the word of another thread.
template <Missing missing>
__global__ void copy(const int* from, int* to) {
#if __CUDA_ARCH__ >= 800
  __shared__ int tile[kThreads];
  tile[threadIdx.x] = -1;
  __syncthreads();
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(shared_address(tile + threadIdx.x)),
               "l"(from + threadIdx.x)
               : "memory");
  if (missing != Missing::kCommit) asm volatile("cp.async.commit_group;" ::: "memory");
  if (missing != Missing::kWait) asm volatile("cp.async.wait_group 0;" ::: "memory");
  if (missing != Missing::kBarrier) __syncthreads();
  to[threadIdx.x] = tile[kThreads - 1 - threadIdx.x];
#endif
}

TEST_F(Copies, read_before_the_wait) {
  const int* from = zeros<int>(kThreads);
  int* to = allocated<int>(kThreads);
  expect_clean([=] { copy<Missing::kNothing><<<1, kThreads>>>(from, to); });
  expect_finding(
      cudaErrorLaunchFailure,
      {"asynchronous copy: read of 4 bytes at shared 0x", "thread (", "begun at PTX line ", "nobody has waited for it"},
      [=] { copy<Missing::kWait><<<1, kThreads>>>(from, to); });
}

TEST_F(Copies, not_committed) {
  const int* from = zeros<int>(kThreads);
  int* to = allocated<int>(kThreads);
  expect_finding(cudaErrorLaunchFailure, {"asynchronous copy: read of 4 bytes"},
                 [=] { copy<Missing::kCommit><<<1, kThreads>>>(from, to); });
}

// Each thread has waited for its own copy, but not for the copies of other threads.
TEST_F(Copies, no_barrier_behind_the_wait) {
  const int* from = zeros<int>(kThreads);
  int* to = allocated<int>(kThreads);
  expect_finding(cudaErrorLaunchFailure, {" at shared 0x"},
                 [=] { copy<Missing::kBarrier><<<1, kThreads>>>(from, to); });
}

// Two groups are pending. The argument of cp.async.wait_group decides whether the first group may be read.
template <int left>
__global__ void pipeline(const int* from, int* to) {
#if __CUDA_ARCH__ >= 800
  __shared__ int tiles[2][32];
  for (int stage = 0; stage < 2; ++stage) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(shared_address(tiles[stage] + threadIdx.x)),
                 "l"(from + 32 * stage + threadIdx.x)
                 : "memory");
    asm volatile("cp.async.commit_group;" ::: "memory");
  }
  asm volatile("cp.async.wait_group %0;" ::"n"(left) : "memory");
  __syncwarp();
  to[threadIdx.x] = tiles[0][31 - threadIdx.x];
#endif
}

TEST_F(Copies, groups) {
  const int* from = zeros<int>(64);
  int* to = allocated<int>(32);
  expect_clean([=] { pipeline<1><<<1, 32>>>(from, to); });
  expect_finding(cudaErrorLaunchFailure, {"asynchronous copy: read of 4 bytes"},
                 [=] { pipeline<2><<<1, 32>>>(from, to); });
}

// The tile is refilled while other threads may still read it.
template <bool barrier>
__global__ void refill(const int* from, int* to) {
#if __CUDA_ARCH__ >= 800
  __shared__ int tile[kThreads];
  tile[threadIdx.x] = threadIdx.x;
  __syncthreads();
  to[threadIdx.x] = tile[kThreads - 1 - threadIdx.x];
  if (barrier) __syncthreads();
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(shared_address(tile + threadIdx.x)),
               "l"(from + threadIdx.x)
               : "memory");
  asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}

TEST_F(Copies, over_what_is_read) {
  const int* from = zeros<int>(kThreads);
  int* to = allocated<int>(kThreads);
  expect_clean([=] { refill<true><<<1, kThreads>>>(from, to); });
  expect_finding(cudaErrorLaunchFailure, {" at shared 0x"}, [=] { refill<false><<<1, kThreads>>>(from, to); });
}

TEST_F(Copies, source_not_initialised) {
  const int* from = allocated<int>(kThreads);
  int* to = allocated<int>(kThreads);
  expect_finding(cudaErrorLaunchFailure, {"uninitialised memory: read of 4 bytes at 0x"},
                 [=] { copy<Missing::kNothing><<<1, kThreads>>>(from, to); });
}

// One thread copies for the whole block, and the copy signals an mbarrier. With `waits` the readers wait at the
// mbarrier; without it they only synchronise with the thread that issued the copy.
template <bool waits>
__global__ void bulk(const int* from, int* to) {
#if __CUDA_ARCH__ >= 900
  __shared__ alignas(16) int tile[kThreads];
  __shared__ alignas(8) unsigned long long barrier;
  const unsigned place = shared_address(&barrier);
  if (threadIdx.x == 0) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(place) : "memory");
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
                     shared_address(tile)),
                 "l"(from), "n"(sizeof tile), "r"(place)
                 : "memory");
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(place), "n"(sizeof tile) : "memory");
  }
  __syncthreads();
  int complete = waits ? 0 : 1;
  while (complete == 0)
    asm volatile("{.reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], 0; selp.u32 %0, 1, 0, p;}"
                 : "=r"(complete)
                 : "r"(place)
                 : "memory");
  to[threadIdx.x] = tile[kThreads - 1 - threadIdx.x];
#endif
}

TEST_F(Copies, bulk) {
  if (architecture() < 90) GTEST_SKIP() << "cp.async.bulk needs sm_90";
  const int* from = zeros<int>(kThreads);
  int* to = allocated<int>(kThreads);
  expect_clean([=] { bulk<true><<<1, kThreads>>>(from, to); });
  expect_finding(cudaErrorLaunchFailure, {" at shared 0x"}, [=] { bulk<false><<<1, kThreads>>>(from, to); });
}

}  // namespace copies_test
