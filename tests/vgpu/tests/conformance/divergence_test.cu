// SPDX-License-Identifier: Apache-2.0
//
// Lanes of a warp take different branches, loops and calls: all of them must finish and reconverge.
#include <cstdint>

#include "device_array.h"

namespace divergence_test {

using conformance::DeviceArray;

constexpr int kLanes = 32, kThreads = 64;
constexpr std::uint32_t kAll = 0xffffffffu;

// Runs a kernel of one block on the numbers 0, 1, 2, ...; f computes the expected result for each number.
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

// ---- reconvergence --------------------------------------------------------------------------------------------------

// CUDA does not guarantee that lanes reconverge after a branch without a barrier, but on a GPU they do.
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

}  // namespace divergence_test
