// SPDX-License-Identifier: Apache-2.0
//
// Tests calls: structures as arguments and results, recursion whose depth differs from lane to lane, and calls through
// pointers.
#include <cstdint>
#include <cstring>

#include "elementwise.cuh"

namespace conformance::call_test {

using U32 = std::uint32_t;
using U64 = std::uint64_t;

constexpr int kThreads = 200;

std::vector<U32> indices() {
  std::vector<U32> all(kThreads);
  for (U32 i = 0; i < kThreads; ++i) all[i] = i;
  return all;
}

// ---- structures -----------------------------------------------------------------------------------------------------

struct Mixed {
  char tag;
  double weight;
  short values[5];
  float scale;
};

__host__ __device__ __noinline__ Mixed changed(Mixed mixed, int by, const Mixed& other) {
  mixed.tag = static_cast<char>(mixed.tag + by);
  mixed.weight = mixed.weight * 2 + other.weight;
  for (int i = 0; i < 5; ++i) mixed.values[i] = static_cast<short>(mixed.values[(i + by) % 5] - other.values[i]);
  mixed.scale += static_cast<float>(by);
  return mixed;
}

__host__ __device__ Mixed made(U32 i) {
  Mixed mixed{static_cast<char>('a' + i % 20), 0.5 * i, {}, 1.25f};
  for (int k = 0; k < 5; ++k) mixed.values[k] = static_cast<short>(i * 7 + k);
  return mixed;
}

__host__ __device__ U64 summary(const Mixed& mixed) {
  U64 sum = static_cast<U64>(mixed.tag) + static_cast<U64>(mixed.weight * 16) * 1000;
  for (const short value : mixed.values) sum = sum * 31 + static_cast<U64>(value);
  return sum + static_cast<U64>(mixed.scale * 4);
}

__host__ __device__ U64 structures_of(U32 i) {
  const Mixed once = changed(made(i), static_cast<int>(i % 4), made(i + 1));
  return summary(changed(once, 1, once)) + summary(once);
}

__global__ void structures(U64* out, int count, const U32* in) {
  const int i = Results<U64>::index();
  if (i < count) out[i] = structures_of(in[i]);
}

TEST(Call, Structures) {
  const auto results = apply(structures, 1, indices());
  for (U32 i = 0; i < kThreads; ++i) ASSERT_EQ(results[i], structures_of(i)) << i;
}

// ---- recursion ------------------------------------------------------------------------------------------------------

// The compiler cannot turn these nested calls into a loop, and the lanes of a warp make different calls.
__host__ __device__ __noinline__ U32 ackermann(U32 m, U32 n) {
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}

__host__ __device__ U32 collatz(U32 n, U32 depth);
__host__ __device__ __noinline__ U32 odd_step(U32 n, U32 depth) { return collatz(3 * n + 1, depth + 1) + 1; }
__host__ __device__ __noinline__ U32 even_step(U32 n, U32 depth) { return collatz(n / 2, depth + 1) ^ (depth & 1); }
__host__ __device__ __noinline__ U32 collatz(U32 n, U32 depth) {
  if (n <= 1) return depth;
  return n % 2 != 0 ? odd_step(n, depth) : even_step(n, depth);
}

__global__ void recursions(U32* out, int count, const U32* in) {
  const int i = Results<U32>::index();
  if (i >= count) return;
  Results<U32> results(out, count);
  results.put(ackermann(in[i] % 3, in[i] % 5));
  results.put(in[i] % 3 == 1 ? 0 : collatz(in[i] + 1, 0));
}

TEST(Call, DivergentRecursion) {
  ASSERT_EQ(cudaDeviceSetLimit(cudaLimitStackSize, 32 << 10), cudaSuccess);
  const auto results = apply(recursions, 2, indices());
  for (U32 i = 0; i < kThreads; ++i) {
    ASSERT_EQ(results[i], ackermann(i % 3, i % 5)) << i;
    ASSERT_EQ(results[kThreads + i], i % 3 == 1 ? 0 : collatz(i + 1, 0)) << i;
  }
}

// Each recursion level has its own array, which deeper levels modify through a pointer.
__host__ __device__ __noinline__ int levels(int depth, int* above) {
  int mine[8];
  for (int i = 0; i < 8; ++i) mine[i] = depth * 10 + i;
  above[depth % 8] += depth;
  if (depth == 0) return 0;
  const int below = levels(depth - 1, mine);
  int sum = below;
  for (int i = 0; i < 8; ++i) sum = sum * 3 + mine[i];
  return sum;
}

__global__ void local_arrays(U32* out, int count, const U32* in) {
  const int i = Results<U32>::index();
  if (i >= count) return;
  int top[8] = {};
  const int sum = levels(static_cast<int>(in[i] % 13), top);
  out[i] = static_cast<U32>(sum + top[in[i] % 13 % 8]);
}

TEST(Call, LocalArraysOfEachLevel) {
  const auto results = apply(local_arrays, 1, indices());
  for (U32 i = 0; i < kThreads; ++i) {
    int top[8] = {};
    const int sum = levels(static_cast<int>(i % 13), top);
    ASSERT_EQ(results[i], static_cast<U32>(sum + top[i % 13 % 8])) << i;
  }
}

// ---- pointers -------------------------------------------------------------------------------------------------------

using Operation = U32 (*)(U32, U32);
__host__ __device__ U32 sum_of(U32 a, U32 b) { return a + b; }
__host__ __device__ U32 product_of(U32 a, U32 b) { return a * b + 1; }
__host__ __device__ U32 loop_of(U32 a, U32 b) {
  for (U32 i = 0; i < b % 7; ++i) a = a * 3 + i;
  return a;
}
__device__ Operation device_operations[] = {sum_of, product_of, loop_of};
const Operation host_operations[] = {sum_of, product_of, loop_of};

__device__ __noinline__ U32 applied_twice(Operation operation, U32 a) { return operation(operation(a, a + 1), a); }

// Lanes of one warp call different functions, and some lanes do not call at all.
__global__ void pointers(U32* out, int count, const U32* in) {
  const int i = Results<U32>::index();
  if (i >= count) return;
  Results<U32> results(out, count);
  const Operation operation = device_operations[in[i] * 5 / 2 % 3];
  results.put(in[i] % 7 == 3 ? 77 : operation(in[i], 9));
  results.put(applied_twice(operation, in[i]));
}

TEST(Call, ThroughPointers) {
  const auto results = apply(pointers, 2, indices());
  for (U32 i = 0; i < kThreads; ++i) {
    const Operation operation = host_operations[i * 5 / 2 % 3];
    ASSERT_EQ(results[i], i % 7 == 3 ? 77 : operation(i, 9)) << i;
    ASSERT_EQ(results[kThreads + i], operation(operation(i, i + 1), i)) << i;
  }
}

class Shape {
 public:
  __device__ virtual ~Shape() {}
  __device__ virtual U32 area(U32 by) const = 0;
};
class Square : public Shape {
 public:
  __device__ explicit Square(U32 side) : side_(side) {}
  __device__ U32 area(U32 by) const override { return side_ * side_ * by; }

 private:
  U32 side_;
};
class Rectangle : public Shape {
 public:
  __device__ Rectangle(U32 a, U32 b) : a_(a), b_(b) {}
  __device__ U32 area(U32 by) const override { return a_ * b_ + by; }

 private:
  U32 a_, b_;
};

__global__ void virtual_functions(U32* out, int count, const U32* in) {
  const int i = Results<U32>::index();
  if (i >= count) return;
  Shape* shape = in[i] % 3 == 0 ? static_cast<Shape*>(new Square(in[i])) : new Rectangle(in[i], 2);
  out[i] = shape->area(5);
  delete shape;
}

TEST(Call, VirtualFunctions) {
  const auto results = apply(virtual_functions, 1, indices());
  for (U32 i = 0; i < kThreads; ++i) ASSERT_EQ(results[i], i % 3 == 0 ? i * i * 5 : i * 2 + 5) << i;
}

}  // namespace conformance::call_test
