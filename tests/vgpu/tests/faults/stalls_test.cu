// SPDX-License-Identifier: Apache-2.0
//
// Tests launches that can never end: the report replaces a hang.
#include "findings.h"

namespace stalls_test {

using faults::Faults;

template <bool tries>
__global__ void meet_at_mbarrier(int more, int bytes);

class Stalls : public Faults {
 protected:
  template <bool tries>
  static void check_mbarrier() {
    expect_clean([] { meet_at_mbarrier<tries><<<1, 64>>>(0, 0); });
    expect_finding(cudaErrorLaunchFailure,
                   {"deadlock: a wait for the mbarrier at shared 0x0, whose phase lacks 3 of 64 arrivals and 0 bytes"},
                   [] { meet_at_mbarrier<tries><<<1, 64>>>(-3, 0); });
    cudaDeviceReset();
    expect_finding(cudaErrorLaunchFailure, {"whose phase lacks 0 of 64 arrivals and 48 bytes"},
                   [] { meet_at_mbarrier<tries><<<1, 64>>>(0, 48); });
  }
};

__device__ int read(const int* from) { return *static_cast<const volatile int*>(from); }

// If `raised` is set, the first thread of the last block raises the flag.
__global__ void wait_for_flag(int* flag, bool raised) {
  if (raised && blockIdx.x == gridDim.x - 1 && threadIdx.x == 0) *static_cast<volatile int*>(flag) = 1;
  while (read(flag) == 0) {
  }
}

TEST_F(Stalls, flag_that_nobody_raises) {
  int* flag = zeros<int>(1);
  expect_finding(cudaErrorLaunchFailure,
                 {"deadlock: a loop that waits for 4 bytes at 0x", "in allocation ", "which hold 0x00000000",
                  "nothing that still runs will change that", "wait_for_flag", "stalls_test.cu:"},
                 [=] { wait_for_flag<<<1, 1>>>(flag, false); });
}

TEST_F(Stalls, flag_that_many_blocks_wait_for) {
  int* flag = zeros<int>(1);
  expect_clean([=] { wait_for_flag<<<20, 96>>>(flag, true); });
  ASSERT_EQ(cudaMemset(flag, 0, sizeof(int)), cudaSuccess);
  expect_finding(cudaErrorLaunchFailure, {"deadlock: a loop that waits for 4 bytes"},
                 [=] { wait_for_flag<<<20, 96>>>(flag, false); });
}

// Lanes of one warp wait for another lane, which exists only if its number is below 32.
__global__ void wait_for_lane(int lane) {
  __shared__ int flag;
  if (threadIdx.x == 0) flag = 0;
  __syncwarp();
  if (threadIdx.x == lane) atomicExch(&flag, 1);
  while (read(&flag) == 0) {
  }
}

TEST_F(Stalls, flag_in_shared_memory) {
  expect_clean([] { wait_for_lane<<<2, 32>>>(31); });
  expect_finding(cudaErrorLaunchFailure,
                 {"deadlock: a loop that waits for 4 bytes at shared 0x0, which hold 0x00000000"},
                 [] { wait_for_lane<<<2, 32>>>(32); });
}

// The lock is released only if `gives_back` is set.
__global__ void take_lock(int* lock, bool gives_back) {
  if (threadIdx.x != 0) return;
  while (atomicCAS(lock, 0, 1) != 0) {
  }
  if (gives_back) atomicExch(lock, 0);
}

TEST_F(Stalls, lock_that_is_never_given_back) {
  int* lock = zeros<int>(1);
  expect_clean([=] { take_lock<<<4, 32>>>(lock, true); });
  expect_finding(cudaErrorLaunchFailure, {"deadlock: a loop that waits for 4 bytes", "which hold 0x00000001", "atom"},
                 [=] { take_lock<<<4, 32>>>(lock, false); });
}

// Each block waits for the other block's flag; unless `raises_first` is set, it does so before it raises its own.
__global__ void wait_for_each_other(int* flags, bool raises_first) {
  if (raises_first) atomicExch(flags + blockIdx.x, 1);
  while (atomicAdd(flags + 1 - blockIdx.x, 0) == 0) __nanosleep(100);
  atomicExch(flags + blockIdx.x, 1);
}

TEST_F(Stalls, blocks_that_wait_for_each_other) {
  int* flags = zeros<int>(2);
  expect_clean([=] { wait_for_each_other<<<2, 1>>>(flags, true); });
  ASSERT_EQ(cudaMemset(flags, 0, 2 * sizeof(int)), cudaSuccess);
  expect_finding(cudaErrorLaunchFailure, {"deadlock: a loop that waits for 4 bytes"},
                 [=] { wait_for_each_other<<<2, 1>>>(flags, false); });
}

// The other threads of the block have arrived at a barrier.
__global__ void wait_beside_a_barrier(int* flag, bool raised) {
  if (threadIdx.x == 0)
    while (read(flag) == 0) {
    }
  if (raised && threadIdx.x == 32) atomicExch(flag, 1);
  __syncthreads();
}

TEST_F(Stalls, flag_while_others_wait_at_a_barrier) {
  int* flag = zeros<int>(1);
  expect_clean([=] { wait_beside_a_barrier<<<1, 64>>>(flag, true); });
  ASSERT_EQ(cudaMemset(flag, 0, sizeof(int)), cudaSuccess);
  expect_finding(cudaErrorLaunchFailure, {"deadlock: a loop that waits for 4 bytes"},
                 [=] { wait_beside_a_barrier<<<1, 64>>>(flag, false); });
}

// The loop counts its iterations, so its registers differ in each of them, but it ends after `most` iterations.
__global__ void give_up(const int* flag, int* rounds, int most) {
  int count = 0;
  while (read(flag) == 0 && ++count < most) {
  }
  *rounds = count;
}

TEST_F(Stalls, loop_that_gives_up_is_no_stall) {
  int* flag = zeros<int>(1);
  int* rounds = zeros<int>(1);
  expect_clean([=] { give_up<<<1, 1>>>(flag, rounds, 1000000); });
  int count = 0;
  ASSERT_EQ(cudaMemcpy(&count, rounds, sizeof count, cudaMemcpyDeviceToHost), cudaSuccess);
  EXPECT_EQ(count, 1000000);
}

// The number of iterations is far beyond what the virtual GPU waits for.
TEST_F(Stalls, loop_that_counts_without_end) {
  int* flag = zeros<int>(1);
  int* rounds = zeros<int>(1);
  expect_finding(cudaErrorLaunchFailure, {"deadlock: a loop that waits for 4 bytes"},
                 [=] { give_up<<<1, 1>>>(flag, rounds, 0x7fffffff); });
}

__global__ void loop_without_end(int* out) {
  asm volatile("{\nAGAIN:\nbra AGAIN;\n}");
  *out = 1;
}

TEST_F(Stalls, empty_loop) {
  int* out = zeros<int>(1);
  expect_finding(cudaErrorLaunchFailure, {"deadlock: a loop that never ends and reads no memory"},
                 [=] { loop_without_end<<<1, 1>>>(out); });
}

// ---- mbarrier -------------------------------------------------------------------------------------------------------

// The mbarrier expects 64 arrivals, and 64 + `more` threads arrive.
template <bool tries>
__global__ void meet_at_mbarrier(int more, int bytes) {
#if __CUDA_ARCH__ >= 900
  __shared__ unsigned long long barrier;
  const auto place = static_cast<unsigned>(__cvta_generic_to_shared(&barrier));
  if (threadIdx.x == 0) asm volatile("mbarrier.init.shared.b64 [%0], 64;" ::"r"(place) : "memory");
  __syncthreads();
  if (threadIdx.x == 0 && bytes > 0)
    asm volatile("mbarrier.expect_tx.relaxed.cta.shared.b64 [%0], %1;" ::"r"(place), "r"(bytes));
  if (threadIdx.x < 64 + more)
    asm volatile("{.reg .b64 state; mbarrier.arrive.shared.b64 state, [%0];}" ::"r"(place) : "memory");
  int complete = 0;
  while (complete == 0) {
    if (tries)
      asm volatile("{.reg .pred p; mbarrier.try_wait.parity.shared.b64 p, [%1], 0; selp.u32 %0, 1, 0, p;}"
                   : "=r"(complete)
                   : "r"(place)
                   : "memory");
    else
      asm volatile("{.reg .pred p; mbarrier.test_wait.parity.shared.b64 p, [%1], 0; selp.u32 %0, 1, 0, p;}"
                   : "=r"(complete)
                   : "r"(place)
                   : "memory");
  }
#endif
}

TEST_F(Stalls, mbarrier_that_is_tested) {
  if (architecture() < 90) GTEST_SKIP() << "expect_tx needs sm_90";
  check_mbarrier<false>();
}

TEST_F(Stalls, mbarrier_that_is_tried) {
  if (architecture() < 90) GTEST_SKIP() << "try_wait needs sm_90";
  check_mbarrier<true>();
}

}  // namespace stalls_test
