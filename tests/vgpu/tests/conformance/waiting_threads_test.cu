// SPDX-License-Identifier: Apache-2.0
//
// Lanes, warps and blocks spin until another one has written a value: the scheduler must let every thread make
// progress.
#include <cstdint>

#include "device_array.h"

namespace waiting_threads_test {

using conformance::DeviceArray;

constexpr int kLanes = 32, kThreads = 64;
constexpr std::uint32_t kAll = 0xffffffffu;

__device__ void lock(int* mutex) {
  while (atomicCAS(mutex, 0, 1) != 0) {
  }
  __threadfence();
}

__device__ void unlock(int* mutex) {
  __threadfence();
  atomicExch(mutex, 0);
}

// Every lane of every warp takes the lock. Lanes that spin must not prevent its owner from making progress.
__global__ void count_under_lock(int* mutex, int* counter) {
  for (int i = 0; i < 3; ++i) {
    lock(mutex);
    *static_cast<volatile int*>(counter) = *static_cast<volatile int*>(counter) + 1;
    unlock(mutex);
  }
}

TEST(WaitingThreads, SpinLockBetweenLanes) {
  DeviceArray<int> mutex(1), counter(1);
  count_under_lock<<<4, kThreads>>>(mutex.get(), counter.get());
  EXPECT_EQ(counter.read()[0], 3 * 4 * kThreads);
}

// Each lane waits for the lane before it, in either order of the branches in the code.
template <bool ascending>
__global__ void wait_for_neighbour(int* flags) {
  const int lane = static_cast<int>(threadIdx.x), before = ascending ? lane - 1 : lane + 1;
  volatile int* flag = flags;
  if (before >= 0 && before < kLanes)
    while (flag[before] == 0) __nanosleep(10);
  __threadfence();
  flag[lane] = flag[before >= 0 && before < kLanes ? before : lane] + 1;
}

TEST(WaitingThreads, LanesWaitForLanes) {
  DeviceArray<int> up(kLanes), down(kLanes);
  wait_for_neighbour<true><<<1, kLanes>>>(up.get());
  wait_for_neighbour<false><<<1, kLanes>>>(down.get());
  const auto ascending = up.read(), descending = down.read();
  for (int lane = 0; lane < kLanes; ++lane) {
    EXPECT_EQ(ascending[lane], lane + 1);
    EXPECT_EQ(descending[lane], kLanes - lane);
  }
}

// Half of the lanes synchronise at two different warp barriers, while the other lanes spin on what these write
// afterwards.
__global__ void watch(volatile int* flags, int* out) {
  const int lane = static_cast<int>(threadIdx.x);
  if (lane < 8) {
    __syncwarp(0xffffu);
    flags[lane] = 1;
  } else if (lane < 16) {
    __syncwarp(0xffffu);
    flags[lane] = 2;
  } else {
    while (flags[lane - 16] == 0) {
    }
    out[lane - 16] = flags[lane - 16];
  }
}

TEST(WaitingThreads, SomeMeetWhileOthersWatch) {
  DeviceArray<int> flags(16), out(16);
  watch<<<1, kLanes>>>(flags.get(), out.get());
  const auto seen = out.read();
  for (int lane = 0; lane < 16; ++lane) EXPECT_EQ(seen[lane], lane < 8 ? 1 : 2) << lane;
}

// Pairs of lanes wait only for each other; some are at the same instruction, some at two different instructions.
__global__ void meet_in_pairs(volatile int* data, int* out) {
  const int lane = static_cast<int>(threadIdx.x);
  if (lane % 4 != 3) {
    data[lane] = 100 + lane;
    __syncwarp(3u << (lane & ~1));
    out[lane] = data[lane ^ 1];
  } else {
    for (int i = 0; i < lane; ++i) data[lane] = i;
    data[lane] = 100 + lane;
    __syncwarp(3u << (lane & ~1));
    out[lane] = data[lane ^ 1];
  }
}

TEST(WaitingThreads, PairsMeet) {
  DeviceArray<int> data(kLanes), out(kLanes);
  meet_in_pairs<<<1, kLanes>>>(data.get(), out.get());
  const auto seen = out.read();
  for (int lane = 0; lane < kLanes; ++lane) EXPECT_EQ(seen[lane], 100 + (lane ^ 1)) << lane;
}

// Shuffles, warp barriers and block barriers do not wait for lanes that have exited.
__global__ void leave(int* out) {
  const int lane = static_cast<int>(threadIdx.x);
  if (lane >= 40) return;
  int value = __shfl_xor_sync(kAll, lane, 4);
  __syncwarp();
  value += __syncthreads_count(value % 2);
  out[lane] = value;
}

TEST(WaitingThreads, LanesThatLeft) {
  DeviceArray<int> out(kThreads);
  leave<<<1, kThreads>>>(out.get());
  const auto seen = out.read();
  for (int lane = 0; lane < kThreads; ++lane) EXPECT_EQ(seen[lane], lane < 40 ? (lane ^ 4) + 20 : 0) << lane;
}

// One warp produces and another consumes, through volatile shared memory.
__global__ void hand_over(int* out, int count) {
  __shared__ volatile int slot, full;
  const int warp = static_cast<int>(threadIdx.x) / kLanes;
  if (threadIdx.x == 0) full = 0;
  __syncthreads();
  if (threadIdx.x % kLanes != 0) return;
  for (int i = 0; i < count; ++i) {
    while (full != warp) {
    }
    __threadfence_block();
    if (warp == 0) {
      slot = i * i;
    } else {
      out[i] = slot;
    }
    __threadfence_block();
    full = 1 - warp;
  }
}

TEST(WaitingThreads, WarpsHandOver) {
  constexpr int kCount = 20;
  DeviceArray<int> out(kCount);
  hand_over<<<1, 2 * kLanes>>>(out.get(), kCount);
  const auto values = out.read();
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(values[i], i * i);
}

// Blocks form a chain in which each waits for the flag of the previous one. More blocks than a device can run at once
// might hang; this number is small enough for any device.
__global__ void chain(int* data, int* flags) {
  const int block = static_cast<int>(blockIdx.x), self = static_cast<int>(threadIdx.x);
  if (block > 0) {
    if (self == 0)
      while (*static_cast<volatile int*>(&flags[block - 1]) == 0) {
      }
    __syncthreads();
    __threadfence();
  }
  const int before =
      block > 0 ? *static_cast<volatile int*>(&data[(block - 1) * kThreads + (self + 1) % kThreads]) : self;
  data[block * kThreads + self] = before + 1;
  __threadfence();
  __syncthreads();
  if (self == 0) *static_cast<volatile int*>(&flags[block]) = 1;
}

TEST(WaitingThreads, BlocksWaitForBlocks) {
  constexpr int kBlocks = 8;
  DeviceArray<int> data(kBlocks * kThreads), flags(kBlocks);
  chain<<<kBlocks, kThreads>>>(data.get(), flags.get());
  const auto values = data.read();
  for (int self = 0; self < kThreads; ++self)
    EXPECT_EQ(values[(kBlocks - 1) * kThreads + self], (self + kBlocks - 1) % kThreads + kBlocks) << self;
}

}  // namespace waiting_threads_test
