// SPDX-License-Identifier: Apache-2.0
//
// Tests calls that fail: assert, invalid function pointers, infinite recursion, and invalid arguments of printf and
// free.
#include <cassert>
#include <cstdio>
#include <string>

#include "findings.h"

namespace call_test {

using faults::Faults;

class Calls : public Faults {};

constexpr int line_of_assertion = __LINE__ + 4;

__global__ void assert_below(int limit) {
  const int thread = static_cast<int>(threadIdx.x);
  assert(thread < limit);
}

TEST_F(Calls, assertion) {
  expect_clean([] { assert_below<<<1, 40>>>(40); });
  expect_finding(cudaErrorAssert,
                 {"assertion failed: `thread < limit`", "call_test.cu:" + std::to_string(line_of_assertion),
                  "assert_below(int)", "thread (35, 0, 0)"},
                 [] { assert_below<<<1, 40>>>(35); });
}

using Function = int (*)(int);
__device__ int next(int a) { return a + 1; }
__device__ Function functions[3] = {next, nullptr, next};

__global__ void call(int which, int* out) { out[threadIdx.x] = functions[which](static_cast<int>(threadIdx.x)); }

TEST_F(Calls, null_function) {
  int* out = zeros<int>(32);
  expect_clean([=] { call<<<1, 32>>>(2, out); });
  expect_finding(cudaErrorIllegalInstruction, {"call of 0x0, where no function is", ": call"},
                 [=] { call<<<1, 32>>>(1, out); });
}

__device__ double (*disguised)(double, int) = reinterpret_cast<double (*)(double, int)>(next);

__global__ void call_disguised(double* out) { *out = disguised(1.5, 2); }

TEST_F(Calls, function_of_another_type) {
  double* out = zeros<double>(1);
  expect_finding(cudaErrorIllegalInstruction, {"call of ", "with other arguments or results than it has"},
                 [=] { call_disguised<<<1, 1>>>(out); });
}

__device__ __noinline__ int descend(int depth, const int* above) {
  int here[64];
  for (int i = 0; i < 64; ++i) here[i] = above[(i + depth) % 64] + 1;
  return depth == 0 ? here[5] : descend(depth - 1, here) + here[depth % 64];
}

__global__ void recurse(int depth, int* out) { *out = descend(depth, out); }

TEST_F(Calls, recursion_too_deep) {
  int* out = zeros<int>(64);
  expect_clean([=] { recurse<<<1, 1>>>(50, out); });
  expect_finding(cudaErrorHardwareStackError, {"stack overflow: call of ", "descend", "524288 bytes"},
                 [=] { recurse<<<1, 1>>>(1 << 20, out); });
}

__global__ void need_much(int* out) {
  int much[1 << 18];
  for (int i = 0; i < 1 << 18; ++i) much[i * 7 % (1 << 18)] = out[i % 64];
  *out = much[out[1]];
}

TEST_F(Calls, kernel_with_more_than_a_thread_has) {
  int* out = zeros<int>(64);
  expect_finding(cudaErrorHardwareStackError, {"stack overflow: call of ", "need_much", "524288 bytes"},
                 [=] { need_much<<<3, 32>>>(out); });
}

__global__ void print(const char* text) { printf("%s\n", text); }

TEST_F(Calls, printf_of_a_wild_string) {
  char* text = zeros<char>(1);
  expect_clean([=] { print<<<1, 1>>>(text); });
  expect_finding(cudaErrorIllegalAddress, {"read of 1 bytes", "call.uni", "vprintf"},
                 [] { print<<<1, 1>>>(reinterpret_cast<const char*>(16)); });
}

__global__ void free_twice(bool twice) {
  void* memory = malloc(16);
  free(memory);
  if (twice) free(memory);
}
__global__ void free_any(void* memory) { free(memory); }

TEST_F(Calls, free_twice) {
  expect_clean([] { free_twice<<<1, 1>>>(false); });
  expect_finding(cudaErrorIllegalAddress, {"free of 0x", "bytes, freed)"}, [] { free_twice<<<1, 1>>>(true); });
}

// cudaMalloc and the device's malloc use separate heaps.
TEST_F(Calls, free_of_other_memory) {
  int* memory = allocated<int>(4);
  expect_clean([] { free_any<<<1, 1>>>(nullptr); });
  expect_finding(cudaErrorIllegalAddress, {"free of 0x"}, [=] { free_any<<<1, 1>>>(memory); });
}

}  // namespace call_test
