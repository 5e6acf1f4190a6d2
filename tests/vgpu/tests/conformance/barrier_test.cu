// SPDX-License-Identifier: Apache-2.0
//
// Tests bar and barrier within a block (barrier numbers, thread counts and votes), and the barriers of a warp.
#include <algorithm>
#include <cstdint>
#include <numeric>

#include "device_array.h"

namespace barrier_test {

using conformance::DeviceArray;

// Each thread passes its number to the next thread in every round. A thread that ran ahead or lagged would break the
// chain.
__global__ void rotate(int* out, int rounds) {
  extern __shared__ int shared[];
  const int self = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  shared[self] = self;
  for (int round = 0; round < rounds; ++round) {
    __syncthreads();
    const int next = shared[(self + 1) % threads];
    __syncthreads();
    shared[self] = next;
  }
  out[blockIdx.x * threads + self] = shared[self];
}

TEST(Barrier, SyncThreads) {
  for (const int threads : {1, 31, 32, 33, 96, 256, 1024}) {
    DeviceArray<int> out(3 * static_cast<std::size_t>(threads));
    rotate<<<3, threads, threads * sizeof(int)>>>(out.get(), 7);
    const auto results = out.read();
    for (int i = 0; i < 3 * threads; ++i) ASSERT_EQ(results[i], (i % threads + 7) % threads) << threads;
  }
}

struct Verdicts {
  int count, all, any, none;
};

__global__ void vote(int modulus, int remainder, Verdicts* out) {
  const int self = static_cast<int>(threadIdx.x);
  const int mine = self % modulus == remainder ? 1 : 0;
  Verdicts verdicts;
  verdicts.count = __syncthreads_count(mine);
  verdicts.all = __syncthreads_and(mine);
  verdicts.any = __syncthreads_or(mine);
  asm volatile(
      "{.reg .pred p, q; setp.ne.s32 p, %1, 0;\n"
      "barrier.cta.red.and.aligned.pred q, 3, !p; selp.s32 %0, 1, 0, q;}"
      : "=r"(verdicts.none)
      : "r"(mine));
  out[self] = verdicts;
}

TEST(Barrier, Reductions) {
  for (const int threads : {32, 70, 200})
    for (const auto& [modulus, remainder] :
         {std::pair{1, 0}, std::pair{3, 1}, std::pair{100, 99}, std::pair{1000, 999}}) {
      DeviceArray<Verdicts> out(static_cast<std::size_t>(threads));
      vote<<<1, threads>>>(modulus, remainder, out.get());
      int count = 0;
      for (int self = 0; self < threads; ++self) count += self % modulus == remainder ? 1 : 0;
      for (const Verdicts& verdicts : out.read()) {
        EXPECT_EQ(verdicts.count, count);
        EXPECT_EQ(verdicts.all != 0, count == threads);
        EXPECT_EQ(verdicts.any != 0, count != 0);
        EXPECT_EQ(verdicts.none != 0, count == 0);
      }
    }
}

// Half of the block exits, after which the barrier waits only for the other half.
__global__ void leave(int* out) {
  __shared__ int shared[64];
  const int self = static_cast<int>(threadIdx.x);
  if (self >= 64) return;
  shared[self] = 3 * self;
  __syncthreads();
  out[self] = shared[63 - self];
}

TEST(Barrier, WarpsThatEndedAreNotWaitedFor) {
  DeviceArray<int> out(64);
  leave<<<1, 192>>>(out.get());
  const auto results = out.read();
  for (int self = 0; self < 64; ++self) EXPECT_EQ(results[self], 3 * (63 - self));
}

__device__ void sync_named(int id, int threads) { asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory"); }
__device__ void arrive_named(int id, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

// Two warps produce and two consume through two buffers. Each buffer has one barrier for "full" and one for "empty".
__global__ void produce_and_consume(int* out, int rounds) {
  __shared__ int buffer[2][64];
  constexpr int kAll = 128;
  const int self = static_cast<int>(threadIdx.x);
  if (self < 64) {
    for (int round = 0; round < rounds; ++round) {
      const int half = round % 2;
      sync_named(3 + half, kAll);
      buffer[half][self] = 1000 * round + self;
      __threadfence_block();
      arrive_named(1 + half, kAll);
    }
  } else {
    arrive_named(3, kAll);
    arrive_named(4, kAll);
    for (int round = 0; round < rounds; ++round) {
      const int half = round % 2;
      sync_named(1 + half, kAll);
      out[round * 64 + self - 64] = buffer[half][127 - self];
      if (round + 2 < rounds) arrive_named(3 + half, kAll);
    }
  }
}

TEST(Barrier, ArriveAndSyncByName) {
  constexpr int kRounds = 9;
  DeviceArray<int> out(kRounds * 64);
  produce_and_consume<<<1, 128>>>(out.get(), kRounds);
  const auto results = out.read();
  for (int i = 0; i < kRounds * 64; ++i) ASSERT_EQ(results[i], 1000 * (i / 64) + 63 - i % 64);
}

// Each pair of warps has its own barrier, whose number is in a register, and runs a different number of rounds.
__global__ void pairs(int* out) {
  __shared__ int shared[256];
  const int self = static_cast<int>(threadIdx.x), pair = self / 64, lane = self % 64;
  shared[self] = lane;
  for (int round = 0; round <= 3 * pair; ++round) {
    asm volatile("barrier.sync %0, 64;" ::"r"(8 + pair) : "memory");
    const int next = shared[64 * pair + (lane + 1) % 64];
    asm volatile("barrier.cta.sync.aligned %0, 64;" ::"r"(8 + pair) : "memory");
    shared[self] = next;
  }
  out[self] = shared[self];
}

TEST(Barrier, NumbersFromRegisters) {
  DeviceArray<int> out(256);
  pairs<<<1, 256>>>(out.get());
  const auto results = out.read();
  for (int self = 0; self < 256; ++self) EXPECT_EQ(results[self], (self % 64 + 3 * (self / 64) + 1) % 64) << self;
}

// Lanes of a warp synchronise at two different __syncwarp() calls, and at one call with a subset of the lanes.
__global__ void meet_in_warp(int* out) {
  __shared__ int shared[32];
  const int lane = static_cast<int>(threadIdx.x);
  if (lane % 2 == 0) {
    shared[lane] = 10 * lane;
    __syncwarp();
    out[lane] = shared[lane + 1];
  } else {
    shared[lane] = 10 * lane;
    __syncwarp();
    out[lane] = shared[lane - 1] + 1;
  }
  __syncwarp();
  if (lane >= 20) {
    shared[lane] = lane;
    __syncwarp(0xfff00000u);
    out[32 + lane] = shared[51 - lane];
  }
}

TEST(Barrier, OfAWarp) {
  DeviceArray<int> out(64);
  meet_in_warp<<<1, 32>>>(out.get());
  const auto results = out.read();
  for (int lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(results[lane], lane % 2 == 0 ? 10 * (lane + 1) : 10 * (lane - 1) + 1);
    EXPECT_EQ(results[32 + lane], lane >= 20 ? 51 - lane : 0);
  }
}

}  // namespace barrier_test
