// SPDX-License-Identifier: Apache-2.0
//
// Tests faults in memory that kernels themselves allocate and free.
#include <sys/resource.h>

#include "findings.h"

namespace device_heap_test {

using faults::Faults;

class DeviceHeap : public Faults {};

constexpr int kCount = 4;

__device__ int* allocate() {
  int* memory = static_cast<int*>(malloc(kCount * sizeof(int)));
  for (int i = 0; i < kCount; ++i) memory[i] = i;
  return memory;
}

__global__ void read_freed(int* out, bool freed) {
  volatile int* memory = allocate();
  *out = memory[3];
  if (freed) free(const_cast<int*>(memory));
  *out += memory[3];
}

TEST_F(DeviceHeap, read_after_free) {
  int* out = zeros<int>(1);
  expect_clean([=] { read_freed<<<1, 1>>>(out, false); });
  expect_finding(cudaErrorIllegalAddress, {"illegal address: read of 4 bytes", "in allocation ", "(16 bytes, freed)"},
                 [=] { read_freed<<<1, 1>>>(out, true); });
}

__global__ void write_freed(bool freed) {
  volatile int* memory = allocate();
  if (freed) free(const_cast<int*>(memory));
  memory[2] = 7;
}

TEST_F(DeviceHeap, write_after_free) {
  expect_clean([] { write_freed<<<1, 1>>>(false); });
  expect_finding(cudaErrorIllegalAddress, {"illegal address: write of 4 bytes", "(16 bytes, freed)"},
                 [] { write_freed<<<1, 1>>>(true); });
}

__global__ void add_freed(int* out, bool freed) {
  int* memory = allocate();
  if (freed) free(memory);
  *out = atomicAdd(memory, 1);
}

TEST_F(DeviceHeap, atomic_operation_after_free) {
  int* out = zeros<int>(1);
  expect_clean([=] { add_freed<<<1, 1>>>(out, false); });
  expect_finding(cudaErrorIllegalAddress, {"atomic operation of 4 bytes", "(16 bytes, freed)"},
                 [=] { add_freed<<<1, 1>>>(out, true); });
}

// Each of the many threads has already used its memory, so the executor has the allocation in its cache.
__global__ void free_and_read_in_turns(int* out, int reader) {
  int* memory = allocate();
  int sum = 0;
  for (int i = 0; i < kCount; ++i) sum += memory[i];
  free(memory);
  if (static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) == reader) sum += *static_cast<volatile int*>(memory);
  out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}

TEST_F(DeviceHeap, read_after_free_among_many_threads) {
  int* out = zeros<int>(8 * 64);
  expect_clean([=] { free_and_read_in_turns<<<8, 64>>>(out, -1); });
  expect_finding(cudaErrorIllegalAddress, {"(16 bytes, freed)", "block (5, 0, 0), thread (10, 0, 0)"},
                 [=] { free_and_read_in_turns<<<8, 64>>>(out, 5 * 64 + 10); });
}

__global__ void free_twice(int times) {
  int* memory = allocate();
  for (int i = 0; i < times; ++i) free(memory);
}

TEST_F(DeviceHeap, double_free) {
  expect_clean([] { free_twice<<<1, 1>>>(1); });
  expect_finding(cudaErrorIllegalAddress, {"illegal address: free of 0x", "in allocation ", "(16 bytes, freed)"},
                 [] { free_twice<<<1, 1>>>(2); });
}

__global__ void free_at(int offset) { free(allocate() + offset); }

TEST_F(DeviceHeap, free_of_the_middle) {
  expect_clean([] { free_at<<<1, 1>>>(0); });
  expect_finding(cudaErrorIllegalAddress,
                 {"free of 0x", "8 bytes into allocation ", "(16 bytes): expected the address that malloc returned"},
                 [] { free_at<<<1, 1>>>(2); });
}

__global__ void free_pointer(void* pointer) { free(pointer); }

TEST_F(DeviceHeap, free_of_what_cudaMalloc_returned) {
  int* memory = zeros<int>(kCount);
  expect_clean([] { free_pointer<<<1, 1>>>(nullptr); });
  expect_finding(cudaErrorIllegalAddress, {"free of 0x", "(16 bytes), which malloc in a kernel did not return"},
                 [=] { free_pointer<<<1, 1>>>(memory); });
}

TEST_F(DeviceHeap, free_of_pinned_host_memory) {
  void* memory = nullptr;
  ASSERT_EQ(cudaMallocHost(&memory, 64), cudaSuccess);
  expect_finding(cudaErrorIllegalAddress, {"free of 0x", "(64 bytes), which malloc in a kernel did not return"},
                 [=] { free_pointer<<<1, 1>>>(memory); });
}

TEST_F(DeviceHeap, free_of_pageable_host_memory) {
  int on_stack = 0;
  void* memory = &on_stack;
  expect_finding(cudaErrorIllegalAddress, {"free of 0x", "in no allocation nor near one"},
                 [=] { free_pointer<<<1, 1>>>(memory); });
}

// One block frees memory that another block reads, without any synchronisation between them.
__device__ int* passed_on;

__global__ void pass_on() { passed_on = allocate(); }
__global__ void free_by_one_block(int* out, bool all_read) {
  if (blockIdx.x == 0 && !all_read) {
    free(passed_on);
  } else {
    out[blockIdx.x] = passed_on[1];
  }
}
__global__ void free_passed_on() { free(passed_on); }

TEST_F(DeviceHeap, free_that_races_with_a_read) {
  int* out = zeros<int>(2);
  expect_clean([=] {
    pass_on<<<1, 1>>>();
    free_by_one_block<<<2, 1>>>(out, true);
    free_passed_on<<<1, 1>>>();
  });
  // Either block may run first; the error is reported for the block that runs second.
  pass_on<<<1, 1>>>();
  testing::internal::CaptureStderr();
  free_by_one_block<<<2, 1>>>(out, false);
  EXPECT_NE(cudaDeviceSynchronize(), cudaSuccess);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(said.find("freed)") != std::string::npos || said.find("race: free of 16 bytes") != std::string::npos)
      << said;
}

// Memory that a kernel has freed must not add noticeably to the memory use of the virtual GPU.
__global__ void churn(int rounds) {
  constexpr int kSize = 64 << 10;
  for (int i = 0; i < rounds; ++i) {
    char* memory = static_cast<char*>(malloc(kSize));
    for (int at = 0; at < kSize; at += 1024) memory[at] = 1;
    free(memory);
  }
}

TEST_F(DeviceHeap, freed_memory_is_given_back) {
  const auto most_memory = [] {  // peak resident memory of this process in KB
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const long before = most_memory();
  expect_clean([] { churn<<<1, 1>>>(100); });
  EXPECT_LT(most_memory() - before, 100 * 1024);  // 100 live allocations would take about 3 MB each
}

}  // namespace device_heap_test
