// SPDX-License-Identifier: Apache-2.0
//
// Tests reads of uninitialised memory.
#include <array>

#include "findings.h"

namespace initialised_test {

using faults::Faults;

class Initialised : public Faults {};

const std::vector<std::string> kUninitialised{"uninitialised memory: read of ",
                                              "which nothing has written since it was allocated"};

__global__ void copy(const int* from, int* to) { to[threadIdx.x] = from[threadIdx.x]; }

TEST_F(Initialised, global_memory) {
  int* from = allocated<int>(32);
  int* to = allocated<int>(32);
  expect_finding(cudaErrorLaunchFailure, kUninitialised, [=] { copy<<<1, 32>>>(from, to); });
}

TEST_F(Initialised, global_memory_set) {
  int* from = allocated<int>(32);
  int* to = allocated<int>(32);
  ASSERT_EQ(cudaMemset(from, 0, 31 * sizeof(int)), cudaSuccess);
  expect_clean([=] { copy<<<1, 31>>>(from, to); });
  expect_finding(cudaErrorLaunchFailure, {"thread (31, 0, 0)"}, [=] { copy<<<1, 32>>>(from, to); });
}

TEST_F(Initialised, global_memory_copied) {
  const std::array<int, 32> values{};
  int* from = allocated<int>(32);
  int* to = allocated<int>(64);
  ASSERT_EQ(cudaMemcpy(from, values.data(), sizeof values, cudaMemcpyHostToDevice), cudaSuccess);
  expect_clean([=] {
    copy<<<1, 32>>>(from, to);  // this kernel writes `to` before it is read
    copy<<<1, 32>>>(to, from);
  });
  int* untouched = allocated<int>(32);
  ASSERT_EQ(cudaMemcpy(to + 32, untouched, 32 * sizeof(int), cudaMemcpyDeviceToDevice), cudaSuccess);
  expect_finding(cudaErrorLaunchFailure, kUninitialised, [=] { copy<<<1, 32>>>(to + 32, from); });
}

// The last byte of a word is not initialised.
TEST_F(Initialised, bytes) {
  char* from = allocated<char>(8);
  int* to = allocated<int>(2);
  ASSERT_EQ(cudaMemset(from, 0, 7), cudaSuccess);
  expect_clean([=] { copy<<<1, 1>>>(reinterpret_cast<int*>(from), to); });
  expect_finding(cudaErrorLaunchFailure, {"thread (1, 0, 0)"},
                 [=] { copy<<<1, 2>>>(reinterpret_cast<int*>(from), to); });
}

__global__ void add(int* to) { atomicAdd(to, 1); }

TEST_F(Initialised, atomic_operation) {
  int* to = allocated<int>(1);
  expect_finding(cudaErrorLaunchFailure, {"uninitialised memory: atomic operation of 4 bytes"},
                 [=] { add<<<1, 1>>>(to); });
}

__global__ void shared_tile(const int* from, int* to, int count) {
  __shared__ int tile[32];
  if (threadIdx.x < count) tile[threadIdx.x] = from[threadIdx.x];
  __syncthreads();
  to[threadIdx.x] = tile[31 - threadIdx.x];
}

TEST_F(Initialised, shared_memory) {
  const int* from = zeros<int>(32);
  int* to = allocated<int>(32);
  expect_clean([=] { shared_tile<<<1, 32>>>(from, to, 32); });
  expect_finding(cudaErrorLaunchFailure, {"uninitialised memory: read of 4 bytes at shared 0x7c", "thread (0, 0, 0)"},
                 [=] { shared_tile<<<1, 32>>>(from, to, 31); });
}

// A block must not see the shared memory contents of an earlier block.
__global__ void keep(int* out) {
  __shared__ int kept[32];
  if (blockIdx.x == 0) kept[threadIdx.x] = 1;
  __syncwarp();
  out[blockIdx.x * 32 + threadIdx.x] = kept[threadIdx.x ^ 1];
}

TEST_F(Initialised, shared_memory_of_the_next_block) {
  int* out = allocated<int>(64);
  expect_clean([=] { keep<<<1, 32>>>(out); });
  expect_finding(cudaErrorLaunchFailure, {"at shared 0x", "block (1, 0, 0)"}, [=] { keep<<<2, 32>>>(out); });
}

__global__ void local_array(int written, int index, int* out) {
  int numbers[8];
  for (int i = 0; i < written; ++i) numbers[i] = i;
  *out = numbers[index];
}

TEST_F(Initialised, local_memory) {
  int* out = allocated<int>(1);
  expect_clean([=] { local_array<<<1, 1>>>(6, 5, out); });
  expect_finding(cudaErrorLaunchFailure, {"uninitialised memory: read of 4 bytes at local 0x"},
                 [=] { local_array<<<1, 1>>>(6, 6, out); });
}

}  // namespace initialised_test
