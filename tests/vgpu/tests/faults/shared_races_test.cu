// SPDX-License-Identifier: Apache-2.0
//
// Tests races in shared memory, and the barriers that prevent them.
#include "findings.h"

namespace shared_races_test {

using faults::Faults;

class SharedRaces : public Faults {};

constexpr int kThreads = 64;

// Two warps exchange a tile, with optional barriers `before` it is overwritten and `after`.
template <bool before, bool after>
__global__ void reverse(const int* from, int* to, int rounds) {
  __shared__ int tile[kThreads];
  tile[threadIdx.x] = 0;
  __syncthreads();
  for (int round = 0; round < rounds; ++round) {
    tile[threadIdx.x] = from[round * kThreads + threadIdx.x];
    if (after) __syncthreads();
    to[round * kThreads + threadIdx.x] = tile[kThreads - 1 - threadIdx.x];
    if (before) __syncthreads();
  }
}

TEST_F(SharedRaces, missing_barrier_between_write_and_read) {
  const int* from = zeros<int>(kThreads);
  int* to = allocated<int>(kThreads);
  expect_clean([=] { reverse<true, true><<<1, kThreads>>>(from, to, 1); });
  expect_finding(cudaErrorLaunchFailure,
                 {"race: ", " at shared 0x", "and the ", "nothing orders them", "thread (", "PTX line"},
                 [=] { reverse<true, false><<<1, kThreads>>>(from, to, 1); });
}

TEST_F(SharedRaces, missing_barrier_between_read_and_next_write) {
  const int* from = zeros<int>(2 * kThreads);
  int* to = allocated<int>(2 * kThreads);
  expect_clean([=] { reverse<true, true><<<1, kThreads>>>(from, to, 2); });
  expect_finding(cudaErrorLaunchFailure, {"race: ", " at shared 0x", "nothing orders them", "shared_races_test.cu:"},
                 [=] { reverse<false, true><<<1, kThreads>>>(from, to, 2); });
}

__global__ void all_write(int* out, bool same) {
  __shared__ int word;
  word = same ? 7 : threadIdx.x;
  __syncthreads();
  out[threadIdx.x] = word;
}

// Writes of the same value to one address do not race; writes of different values do.
TEST_F(SharedRaces, two_writes) {
  int* out = allocated<int>(kThreads);
  expect_clean([=] { all_write<<<1, kThreads>>>(out, true); });
  expect_finding(cudaErrorLaunchFailure,
                 {"race: write of 4 bytes at shared 0x0 and the write at PTX line ", "thread (1, 0, 0)"},
                 [=] { all_write<<<1, 32>>>(out, false); });
}

// Threads of two warps write adjacent bytes; with `overlap` they also write each other's bytes.
__global__ void bytes(char* out, int overlap) {
  __shared__ char tile[kThreads + 1];
  const int place = threadIdx.x % 32 * 2 + threadIdx.x / 32;
  tile[place] = static_cast<char>(threadIdx.x);
  if (overlap != 0) tile[place + 1] = static_cast<char>(threadIdx.x);
  __syncthreads();
  out[threadIdx.x] = tile[threadIdx.x];
}

TEST_F(SharedRaces, neighbouring_bytes) {
  char* out = allocated<char>(kThreads);
  expect_clean([=] { bytes<<<1, kThreads>>>(out, 0); });
  expect_finding(cudaErrorLaunchFailure, {"race: write of 1 bytes"}, [=] { bytes<<<1, kThreads>>>(out, 1); });
}

// Each half word is written by one lane, then read as part of a word, then overwritten as bytes.
__global__ void sizes(unsigned* out) {
  __shared__ unsigned short halves[64];
  halves[threadIdx.x] = static_cast<unsigned short>(threadIdx.x);
  halves[threadIdx.x + 32] = static_cast<unsigned short>(threadIdx.x);
  __syncwarp();
  out[threadIdx.x] = reinterpret_cast<unsigned*>(halves)[threadIdx.x];
  __syncwarp();
  reinterpret_cast<unsigned char*>(halves)[threadIdx.x] = 1;
  __syncwarp();
  out[threadIdx.x] += reinterpret_cast<unsigned*>(halves)[threadIdx.x];
}

TEST_F(SharedRaces, accesses_of_different_sizes) {
  unsigned* out = allocated<unsigned>(32);
  expect_clean([=] { sizes<<<1, 32>>>(out); });
}

template <bool meets>
__global__ void neighbours(int* out) {
  __shared__ int tile[33];
  tile[threadIdx.x] = threadIdx.x;
  if (threadIdx.x == 0) tile[32] = 0;
  if (meets) __syncwarp();
  out[threadIdx.x] = tile[threadIdx.x + 1];
}

TEST_F(SharedRaces, lanes_of_a_warp) {
  int* out = allocated<int>(32);
  expect_clean([=] { neighbours<true><<<1, 32>>>(out); });
  expect_finding(cudaErrorLaunchFailure,
                 {"race: read of 4 bytes at shared 0x4 and the write at PTX line ", "by thread (1, 0, 0)"},
                 [=] { neighbours<false><<<1, 32>>>(out); });
}

// Groups of eight lanes synchronise. With `distance` 8, a lane reads what another group wrote.
__global__ void groups(int* out, int distance) {
  __shared__ int tile[32];
  const unsigned members = 0xffu << (threadIdx.x / 8 * 8);
  tile[threadIdx.x] = threadIdx.x;
  __syncwarp(members);
  out[threadIdx.x] = tile[threadIdx.x ^ distance];
}

TEST_F(SharedRaces, lanes_that_did_not_meet) {
  int* out = allocated<int>(32);
  expect_clean([=] { groups<<<1, 32>>>(out, 7); });
  expect_finding(cudaErrorLaunchFailure, {"race: read of 4 bytes"}, [=] { groups<<<1, 32>>>(out, 8); });
}

// One lane signals on behalf of its warp, either after a __syncwarp() or without one.
template <bool meets>
__global__ void leader(int* out) {
  __shared__ int tile[32];
  __shared__ int ready;
  if (threadIdx.x == 0) ready = 0;
  __syncthreads();
  if (threadIdx.x < 32) {
    tile[threadIdx.x] = threadIdx.x;
    if (meets) __syncwarp();
    if (threadIdx.x == 0) {
      __threadfence_block();
      atomicExch(&ready, 1);
    }
  } else {
    while (atomicAdd(&ready, 0) == 0) {
    }
    __syncwarp();
    out[threadIdx.x - 32] = tile[threadIdx.x - 32];
  }
}

TEST_F(SharedRaces, flag_of_a_leader) {
  int* out = allocated<int>(32);
  expect_clean([=] { leader<true><<<1, kThreads>>>(out); });
  expect_finding(cudaErrorLaunchFailure, {"race: read of 4 bytes"}, [=] { leader<false><<<1, kThreads>>>(out); });
}

// Computes the sum of a tile to which all threads add.
template <bool atomic, bool barrier>
__global__ void sum(int* out) {
  __shared__ int total;
  if (threadIdx.x == 0) total = 0;
  __syncthreads();
  if (atomic) {
    atomicAdd(&total, 1);
  } else {
    total += 1;
  }
  if (barrier) __syncthreads();
  if (threadIdx.x == 0) *out = total;
}

TEST_F(SharedRaces, atomic_sum) {
  int* out = allocated<int>(1);
  expect_clean([=] { sum<true, true><<<1, kThreads>>>(out); });
  expect_finding(cudaErrorLaunchFailure, {"race: "}, [=] { sum<false, true><<<1, kThreads>>>(out); });
}

TEST_F(SharedRaces, atomic_sum_read_too_early) {
  int* out = allocated<int>(1);
  expect_finding(cudaErrorLaunchFailure, {"race: "}, [=] { sum<true, false><<<1, kThreads>>>(out); });
}

}  // namespace shared_races_test
