// SPDX-License-Identifier: Apache-2.0
//
// Tests out-of-bounds and misaligned accesses.
#include "findings.h"

namespace bounds_test {

using faults::Faults;

class Bounds : public Faults {};

constexpr int kCount = 100;

__global__ void read_at(const int* from, long index, int* out) { *out = from[index]; }
__global__ void write_at(int* to, long index) { to[index] = 1; }

TEST_F(Bounds, reads_behind_an_allocation) {
  const int* from = zeros<int>(kCount);
  int* out = allocated<int>(1);
  expect_clean([=] { read_at<<<1, 1>>>(from, kCount - 1, out); });
  expect_finding(cudaErrorIllegalAddress,
                 {"illegal address: read of 4 bytes", "8 bytes past the end of allocation", "(400 bytes)"},
                 [=] { read_at<<<1, 1>>>(from, kCount + 2, out); });
}

TEST_F(Bounds, writes_before_an_allocation) {
  int* to = allocated<int>(kCount);
  expect_clean([=] { write_at<<<1, 1>>>(to, 0); });
  expect_finding(cudaErrorIllegalAddress,
                 {"illegal address: write of 4 bytes", "16 bytes before allocation", "(400 bytes)"},
                 [=] { write_at<<<1, 1>>>(to, -4); });
}

// The size of the allocation is not a multiple of the access size.
TEST_F(Bounds, reads_across_the_end) {
  char* from = zeros<char>(kCount + 2);
  int* out = allocated<int>(1);
  expect_finding(cudaErrorIllegalAddress, {"whose last 2 bytes lie past the end of allocation", "(102 bytes)"},
                 [=] { read_at<<<1, 1>>>(reinterpret_cast<int*>(from), kCount / 4, out); });
}

TEST_F(Bounds, says_where) {
  int* to = allocated<int>(32);
  expect_finding(cudaErrorIllegalAddress,
                 {"write_at", "block (0, 0, 0), thread (0, 0, 0)", "at PTX line ", ": st.global.", "bounds_test.cu:"},
                 [=] { write_at<<<1, 1>>>(to, 32); });
}

__global__ void write_far(int* to) { to[blockIdx.y * 64 + threadIdx.y * 32 + threadIdx.x] = 1; }

TEST_F(Bounds, names_the_thread) {
  int* to = allocated<int>(2 * 64 - 1);
  expect_finding(cudaErrorIllegalAddress, {"block (0, 1, 0), thread (31, 1, 0)"},
                 [=] { write_far<<<dim3(1, 2), dim3(32, 2)>>>(to); });
}

TEST_F(Bounds, null_pointer) {
  expect_finding(cudaErrorIllegalAddress, {"in no allocation nor near one"}, [] { write_at<<<1, 1>>>(nullptr, 0); });
}

TEST_F(Bounds, use_after_free) {
  int* to = allocated<int>(kCount);
  expect_clean([=] { write_at<<<1, 1>>>(to, 5); });
  ASSERT_EQ(cudaFree(to), cudaSuccess);
  expect_finding(cudaErrorIllegalAddress, {"in allocation ", "(400 bytes, freed)"}, [=] { write_at<<<1, 1>>>(to, 5); });
}

__device__ int table[16];
__constant__ int constants[16];

__global__ void read_table(long index, int* out) { *out = table[index]; }
__global__ void read_constants(long index, int* out) { *out = constants[index]; }

TEST_F(Bounds, variables) {
  int* out = allocated<int>(1);
  expect_clean([=] { read_table<<<1, 1>>>(15, out); });
  expect_finding(cudaErrorIllegalAddress, {"0 bytes past the end of variable ", "table", "(64 bytes)"},
                 [=] { read_table<<<1, 1>>>(16, out); });
}

TEST_F(Bounds, constants_read) {
  int* out = allocated<int>(1);
  expect_clean([=] { read_constants<<<1, 1>>>(0, out); });
  expect_finding(cudaErrorIllegalAddress, {"4 bytes before variable ", "constants"},
                 [=] { read_constants<<<1, 1>>>(-1, out); });
}

TEST_F(Bounds, constants_written) {
  void* address = nullptr;
  ASSERT_EQ(cudaGetSymbolAddress(&address, constants), cudaSuccess);
  expect_finding(cudaErrorIllegalAddress, {"write of 4 bytes", "in __constant__ memory"},
                 [=] { write_at<<<1, 1>>>(static_cast<int*>(address), 3); });
}

struct Numbers {
  int at[8];
};

__global__ void read_parameter(const __grid_constant__ Numbers numbers, long index, int* out) {
  *out = numbers.at[index];
}
__global__ void write_parameter(const __grid_constant__ Numbers numbers) {
  unsigned long long address;
  asm volatile("cvta.param.u64 %0, %1;" : "=l"(address) : "l"(__cvta_generic_to_grid_constant(&numbers)));
  asm volatile("st.u32 [%0], 1;" ::"l"(address) : "memory");
}

TEST_F(Bounds, parameters) {
  int* out = allocated<int>(1);
  expect_clean([=] { read_parameter<<<1, 1>>>(Numbers{}, 7, out); });
  expect_finding(cudaErrorIllegalAddress, {"write of 4 bytes", "among the parameters of the kernel"},
                 [] { write_parameter<<<1, 1>>>(Numbers{}); });
  cudaDeviceReset();
  out = allocated<int>(1);
  expect_finding(cudaErrorIllegalAddress, {"bytes of parameters that the kernel has"},
                 [=] { read_parameter<<<1, 1>>>(Numbers{}, 100, out); });
}

__global__ void static_shared(int index, int* out) {
  __shared__ int numbers[8];
  numbers[threadIdx.x + index] = 1;
  __syncthreads();
  out[threadIdx.x] = numbers[index + 1 - threadIdx.x];
}

__global__ void dynamic_shared(int index, int* out) {
  extern __shared__ int dynamic[];
  dynamic[index] = 1;
  *out = dynamic[index];
}

TEST_F(Bounds, shared_memory) {
  int* out = allocated<int>(2);
  expect_clean([=] { static_shared<<<1, 2>>>(6, out); });
  expect_finding(cudaErrorIllegalAddress,
                 {"write of 4 bytes at shared 0x20", "outside of the 32 bytes of shared memory", "thread (1, 0, 0)"},
                 [=] { static_shared<<<1, 2>>>(7, out); });
}

TEST_F(Bounds, dynamic_shared_memory) {
  int* out = allocated<int>(1);
  expect_clean([=] { dynamic_shared<<<1, 1, 400>>>(99, out); });
  expect_finding(cudaErrorIllegalAddress,
                 {"write of 4 bytes at shared 0x190", "outside of the 400 bytes of shared memory"},
                 [=] { dynamic_shared<<<1, 1, 400>>>(100, out); });
}

__global__ void local_array(int index, int* out) {
  int numbers[5];
  for (int i = 0; i < 5; ++i) numbers[i] = out[i];
  numbers[index] = 7;
  for (int i = 0; i < 5; ++i) out[i] = numbers[(i * index) % 5];
}

TEST_F(Bounds, local_memory) {
  int* out = zeros<int>(5);
  expect_clean([=] { local_array<<<1, 1>>>(4, out); });
  expect_finding(cudaErrorIllegalAddress,
                 {"write of 4 bytes at local ", "past the end of local variable", "(20 bytes)"},
                 [=] { local_array<<<1, 1>>>(5, out); });
}

__global__ void read_double(const char* from, double* out) { *out = *reinterpret_cast<const double*>(from); }
__global__ void read_vector(const float* from, float* out) {
  const float4 four = *reinterpret_cast<const float4*>(from);
  *out = four.x + four.y + four.z + four.w;
}

TEST_F(Bounds, misaligned) {
  const char* from = zeros<char>(64);
  double* out = allocated<double>(1);
  expect_clean([=] { read_double<<<1, 1>>>(from + 8, out); });
  expect_finding(cudaErrorMisalignedAddress, {"misaligned address: read of 8 bytes", "which is not a multiple of 8"},
                 [=] { read_double<<<1, 1>>>(from + 4, out); });
}

TEST_F(Bounds, misaligned_vector) {
  const float* from = zeros<float>(64);
  float* out = allocated<float>(1);
  expect_clean([=] { read_vector<<<1, 1>>>(from + 4, out); });
  expect_finding(cudaErrorMisalignedAddress, {"read of 16 bytes", "which is not a multiple of 16"},
                 [=] { read_vector<<<1, 1>>>(from + 2, out); });
}

}  // namespace bounds_test
