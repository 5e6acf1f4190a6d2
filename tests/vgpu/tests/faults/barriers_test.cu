// SPDX-License-Identifier: Apache-2.0
//
// Tests barriers that some threads never reach, and lanes that other lanes wait for in vain.
#include "findings.h"

namespace barriers_test {

using faults::Faults;

class Barriers : public Faults {};

__global__ void divergent(int part) {
  if (threadIdx.x < part) __syncthreads();
}

TEST_F(Barriers, barrier_by_part_of_a_warp) {
  expect_clean([] { divergent<<<1, 64>>>(64); });
}

// The two groups of lanes wait for each other at different instructions.
__global__ void two_barriers(int part) {
  if (threadIdx.x < part) {
    asm volatile("bar.sync 1;" ::: "memory");
  } else {
    asm volatile("bar.sync 2;" ::: "memory");
  }
}

TEST_F(Barriers, lanes_at_different_barriers) {
  expect_finding(cudaErrorLaunchFailure,
                 {"divergent barrier: ", "lanes of this warp that must take part do not come here: mask 0xffff", "bar"},
                 [] { two_barriers<<<1, 32>>>(16); });
}

TEST_F(Barriers, warps_at_different_barriers) {
  expect_finding(cudaErrorLaunchFailure, {"deadlock: barrier ", "32 threads wait, the others never come"},
                 [] { two_barriers<<<1, 64>>>(32); });
}

__global__ void counted(int threads) { asm volatile("bar.sync 1, %0;" ::"r"(threads) : "memory"); }

TEST_F(Barriers, barrier_for_more_threads_than_come) {
  expect_clean([] { counted<<<1, 64>>>(64); });
  expect_finding(cudaErrorLaunchFailure, {"deadlock: barrier 1"}, [] { counted<<<1, 64>>>(96); });
}

__global__ void different_counts() { asm volatile("bar.sync 1, %0;" ::"r"(threadIdx.x < 32 ? 64 : 96) : "memory"); }

TEST_F(Barriers, warps_that_expect_different_numbers) {
  expect_finding(cudaErrorLaunchFailure, {"divergent barrier: barrier 1: this warp expects ", "those that wait there"},
                 [] { different_counts<<<1, 64>>>(); });
}

// The remaining lanes wait at another instruction, either for each other or for the lanes that shuffle.
__global__ void shuffle(unsigned members, unsigned others, int part, int* out) {
  int value = threadIdx.x;
  if (threadIdx.x < part) {
    value = __shfl_sync(members, value, 0);
  } else {
    __syncwarp(others);
  }
  out[threadIdx.x] = value;
}

TEST_F(Barriers, shuffle_with_lanes_that_do_not_come) {
  int* out = allocated<int>(32);
  expect_clean([=] { shuffle<<<1, 32>>>(0xffffu, 0xffff0000u, 16, out); });
  expect_finding(cudaErrorLaunchFailure, {"divergent barrier: lanes of this warp that must take part do not come here"},
                 [=] { shuffle<<<1, 32>>>(0xffffffffu, 0xffffffffu, 16, out); });
}

__global__ void shuffle_outside(int* out) { out[threadIdx.x] = __shfl_sync(0xffffu, static_cast<int>(threadIdx.x), 0); }

TEST_F(Barriers, shuffle_by_lanes_outside_of_the_mask) {
  int* out = allocated<int>(32);
  expect_clean([=] { shuffle_outside<<<1, 16>>>(out); });
  expect_finding(cudaErrorLaunchFailure,
                 {"divergent barrier: this lane is not in the member mask 0xffff", "thread (16, 0, 0)"},
                 [=] { shuffle_outside<<<1, 32>>>(out); });
}

// A source lane that is not in the member mask has no defined value.
__global__ void shuffle_from_outside(int source, int* out) {
  if (threadIdx.x >= 16) return;
  out[threadIdx.x] = __shfl_sync(0xffffu, static_cast<int>(threadIdx.x), source);
}

TEST_F(Barriers, shuffle_from_a_lane_outside_of_the_mask) {
  int* out = allocated<int>(32);
  expect_clean([=] { shuffle_from_outside<<<1, 32>>>(15, out); });
  expect_finding(cudaErrorLaunchFailure, {"divergent barrier: "}, [=] { shuffle_from_outside<<<1, 32>>>(16, out); });
}

}  // namespace barriers_test
