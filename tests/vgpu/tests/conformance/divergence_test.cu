// SPDX-License-Identifier: Apache-2.0
//
// Lanes that go different ways: they all get to the end, and where they come together again they are together.
#include <cstdint>

#include "device_array.h"

namespace divergence_test {

using conformance::DeviceArray;

constexpr int kLanes = 32, kThreads = 64;
constexpr std::uint32_t kAll = 0xffffffffu;

// Runs a kernel of one block on the numbers 0, 1, 2, ...; f says what it does to each.
template <class F>
void check(void (*kernel)(std::uint32_t*), F f) {
  std::vector<std::uint32_t> values(kThreads), expected(kThreads);
  for (std::uint32_t i = 0; i < kThreads; ++i) {
    values[i] = i;
    expected[i] = f(i);
  }
  DeviceArray<std::uint32_t> data(values);
  kernel<<<1, kThreads>>>(data.get());
  EXPECT_EQ(data.read(), expected);
}

// ---- control flow ---------------------------------------------------------------------------------------------------

__host__ __device__ std::uint32_t nested(std::uint32_t x) {
  std::uint32_t y = x;
  if (x % 2 == 0) {
    y += 100;
    if (x % 3 == 0) {
      y *= 3;
      if (x % 5 == 0) y ^= 0x55;
    } else {
      y -= 7;
    }
  } else if (x % 7 == 0) {
    y = y << 3 | 1;
  }
  return y + 1;
}

__global__ void run_nested(std::uint32_t* data) { data[threadIdx.x] = nested(data[threadIdx.x]); }
TEST(Divergence, NestedBranches) { check(run_nested, nested); }

__host__ __device__ std::uint32_t collatz(std::uint32_t x) {
  std::uint32_t steps = 0;
  for (std::uint32_t n = x + 1; n != 1; ++steps) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
  return steps;
}

__global__ void run_collatz(std::uint32_t* data) { data[threadIdx.x] = collatz(data[threadIdx.x]); }
TEST(Divergence, LoopsOfDifferentLengths) { check(run_collatz, collatz); }

__host__ __device__ std::uint32_t nested_loops(std::uint32_t x) {
  std::uint32_t sum = 0;
  for (std::uint32_t i = 0; i < x % 9; ++i) {
    for (std::uint32_t j = i; j < x % 5 + i; ++j) {
      if ((i + j) % 4 == 3) continue;
      if (sum > 400) break;
      sum += i * j + 1;
    }
    if (sum % 11 == 10) break;
  }
  return sum;
}

__global__ void run_nested_loops(std::uint32_t* data) { data[threadIdx.x] = nested_loops(data[threadIdx.x]); }
TEST(Divergence, LoopsThatBreakAndContinue) { check(run_nested_loops, nested_loops); }

__host__ __device__ std::uint32_t cases(std::uint32_t x) {
  switch (x % 11) {
    case 0:
      return x * 3;
    case 1:
      x += 1;
      [[fallthrough]];
    case 2:
      return x * x;
    case 3:
      return x ^ 0xff;
    case 5:
      return x - 100;
    case 6:
      x = x / 3;
      break;
    case 7:
      return x << 5;
    case 9:
      x = ~x;
      break;
    default:
      x = 1234;
  }
  return x + 17;
}

__global__ void run_cases(std::uint32_t* data) { data[threadIdx.x] = cases(data[threadIdx.x]); }
TEST(Divergence, Switch) { check(run_cases, cases); }

__host__ __device__ __noinline__ std::uint32_t fibonacci(std::uint32_t n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

__global__ void run_fibonacci(std::uint32_t* data) { data[threadIdx.x] = fibonacci(data[threadIdx.x] % 11); }
TEST(Divergence, Recursion) {
  check(run_fibonacci, [](std::uint32_t x) { return fibonacci(x % 11); });
}

using Operation = std::uint32_t (*)(std::uint32_t);
__device__ __noinline__ std::uint32_t add_five(std::uint32_t x) { return x + 5; }
__device__ __noinline__ std::uint32_t square(std::uint32_t x) { return x * x; }
__device__ __noinline__ std::uint32_t halve(std::uint32_t x) { return x / 2; }
__device__ Operation operations[] = {add_five, square, halve};

__global__ void run_pointers(std::uint32_t* data) {
  data[threadIdx.x] = operations[data[threadIdx.x] % 3](data[threadIdx.x]);
}
TEST(Divergence, CallsThroughPointers) {
  check(run_pointers, [](std::uint32_t x) { return x % 3 == 0 ? x + 5 : x % 3 == 1 ? x * x : x / 2; });
}

__global__ void run_early_exit(std::uint32_t* data) {
  const std::uint32_t x = data[threadIdx.x];
  if (x % 4 == 1) return;
  data[threadIdx.x] = x + 1000;
  if (x % 4 == 2) asm volatile("exit;");
  data[threadIdx.x] = x + 2000;
}
TEST(Divergence, EarlyExit) {
  check(run_early_exit, [](std::uint32_t x) { return x % 4 == 1 ? x : x % 4 == 2 ? x + 1000 : x + 2000; });
}

// ---- together again -------------------------------------------------------------------------------------------------

// After a branch without any barrier lanes need not be together, but on a GPU they are.
__global__ void masks(std::uint32_t* out, std::uint32_t* work) {
  const std::uint32_t lane = threadIdx.x;
  std::uint32_t* mine = out + lane * 4;
  if (lane % 2 == 0) {
    work[lane] = collatz(lane);
  } else {
    work[lane] = nested(lane);
  }
  mine[0] = __activemask();
  for (std::uint32_t i = 0; i < lane; ++i) work[lane] += i;
  mine[1] = __activemask();
  if (lane < 7) mine[2] = __activemask();
  work[lane] += fibonacci(lane % 7);
  for (std::uint32_t i = 0; i < 300 * lane; ++i) work[lane] = work[lane] * 5 + i;
  mine[3] = __activemask();
}

TEST(Divergence, LanesComeTogether) {
  DeviceArray<std::uint32_t> out(4 * kLanes), work(kLanes);
  masks<<<1, kLanes>>>(out.get(), work.get());
  const auto seen = out.read();
  for (int lane = 0; lane < kLanes; ++lane) {
    EXPECT_EQ(seen[lane * 4], kAll) << lane;
    EXPECT_EQ(seen[lane * 4 + 1], kAll) << lane;
    EXPECT_EQ(seen[lane * 4 + 2], lane < 7 ? 0x7fu : 0u) << lane;
    EXPECT_EQ(seen[lane * 4 + 3], kAll) << lane;
  }
}

// ---- lanes and warps that wait for each other -----------------------------------------------------------------------

__device__ void lock(int* mutex) {
  while (atomicCAS(mutex, 0, 1) != 0) {
  }
  __threadfence();
}

__device__ void unlock(int* mutex) {
  __threadfence();
  atomicExch(mutex, 0);
}

// A lock that every lane of every warp takes: lanes that spin must not keep the one from going on that has it.
__global__ void count_under_lock(int* mutex, int* counter) {
  for (int i = 0; i < 3; ++i) {
    lock(mutex);
    *static_cast<volatile int*>(counter) = *static_cast<volatile int*>(counter) + 1;
    unlock(mutex);
  }
}

TEST(Divergence, SpinLockBetweenLanes) {
  DeviceArray<int> mutex(1), counter(1);
  count_under_lock<<<4, kThreads>>>(mutex.get(), counter.get());
  EXPECT_EQ(counter.read()[0], 3 * 4 * kThreads);
}

// Lane by lane, the later ones waiting for the earlier ones, in whichever order the branches lie in the code.
template <bool ascending>
__global__ void wait_for_neighbour(int* flags) {
  const int lane = static_cast<int>(threadIdx.x), before = ascending ? lane - 1 : lane + 1;
  volatile int* flag = flags;
  if (before >= 0 && before < kLanes)
    while (flag[before] == 0) __nanosleep(10);
  __threadfence();
  flag[lane] = flag[before >= 0 && before < kLanes ? before : lane] + 1;
}

TEST(Divergence, LanesWaitForLanes) {
  DeviceArray<int> up(kLanes), down(kLanes);
  wait_for_neighbour<true><<<1, kLanes>>>(up.get());
  wait_for_neighbour<false><<<1, kLanes>>>(down.get());
  const auto ascending = up.read(), descending = down.read();
  for (int lane = 0; lane < kLanes; ++lane) {
    EXPECT_EQ(ascending[lane], lane + 1);
    EXPECT_EQ(descending[lane], kLanes - lane);
  }
}

// Half of the lanes meet at two different barriers of the warp while the others watch for what they do afterwards.
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

TEST(Divergence, SomeMeetWhileOthersWatch) {
  DeviceArray<int> flags(16), out(16);
  watch<<<1, kLanes>>>(flags.get(), out.get());
  const auto seen = out.read();
  for (int lane = 0; lane < 16; ++lane) EXPECT_EQ(seen[lane], lane < 8 ? 1 : 2) << lane;
}

// Pairs of lanes that wait for nobody but each other: some are together at one instruction, some at two.
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

TEST(Divergence, PairsMeet) {
  DeviceArray<int> data(kLanes), out(kLanes);
  meet_in_pairs<<<1, kLanes>>>(data.get(), out.get());
  const auto seen = out.read();
  for (int lane = 0; lane < kLanes; ++lane) EXPECT_EQ(seen[lane], 100 + (lane ^ 1)) << lane;
}

// Lanes that have left are not waited for, by a shuffle, by a barrier of the warp or by one of the block.
__global__ void leave(int* out) {
  const int lane = static_cast<int>(threadIdx.x);
  if (lane >= 40) return;
  int value = __shfl_xor_sync(kAll, lane, 4);
  __syncwarp();
  value += __syncthreads_count(value % 2);
  out[lane] = value;
}

TEST(Divergence, LanesThatLeft) {
  DeviceArray<int> out(kThreads);
  leave<<<1, kThreads>>>(out.get());
  const auto seen = out.read();
  for (int lane = 0; lane < kThreads; ++lane) EXPECT_EQ(seen[lane], lane < 40 ? (lane ^ 4) + 20 : 0) << lane;
}

// A warp produces, another consumes, through volatile shared memory.
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

TEST(Divergence, WarpsHandOver) {
  constexpr int kCount = 20;
  DeviceArray<int> out(kCount);
  hand_over<<<1, 2 * kLanes>>>(out.get(), kCount);
  const auto values = out.read();
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(values[i], i * i);
}

// Blocks in a chain: each waits for the flag of the one before. More of them than any device runs at once would hang, these
// are few.
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

TEST(Divergence, BlocksWaitForBlocks) {
  constexpr int kBlocks = 8;
  DeviceArray<int> data(kBlocks * kThreads), flags(kBlocks);
  chain<<<kBlocks, kThreads>>>(data.get(), flags.get());
  const auto values = data.read();
  for (int self = 0; self < kThreads; ++self)
    EXPECT_EQ(values[(kBlocks - 1) * kThreads + self], (self + kBlocks - 1) % kThreads + kBlocks) << self;
}

}  // namespace divergence_test
