// SPDX-License-Identifier: Apache-2.0
//
// Tests ldmatrix, stmatrix and movmatrix.
#include <cstdint>
#include <numeric>

#include "elementwise.cuh"

namespace matrix_move_test {

using conformance::code_architecture;
using conformance::DeviceArray;
using U16 = std::uint16_t;
using U32 = std::uint32_t;

constexpr int kSide = 8, kMatrix = kSide * kSide,
              kPitch = 24;  // elements between rows in shared memory; rows are aligned to 16 bytes

[[maybe_unused]] __device__ U32 address(const void* at) { return static_cast<U32>(__cvta_generic_to_shared(at)); }

template <int count, bool transposed>
__device__ void load(U32* r, U32 at) {
  if constexpr (count == 1 && !transposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(r[0]) : "r"(at) : "memory");
  if constexpr (count == 1 && transposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];" : "=r"(r[0]) : "r"(at) : "memory");
  if constexpr (count == 2 && !transposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                 : "=r"(r[0]), "=r"(r[1])
                 : "r"(at)
                 : "memory");
  if constexpr (count == 2 && transposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                 : "=r"(r[0]), "=r"(r[1])
                 : "r"(at)
                 : "memory");
  if constexpr (count == 4 && !transposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(at)
                 : "memory");
  if constexpr (count == 4 && transposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(at)
                 : "memory");
}

template <int count, bool transposed>
__device__ void store(U32 at, const U32* r) {
  if constexpr (count == 1 && !transposed)
    asm volatile("stmatrix.sync.aligned.m8n8.x1.shared.b16 [%0], {%1};" ::"r"(at), "r"(r[0]) : "memory");
  if constexpr (count == 2 && transposed)
    asm volatile("stmatrix.sync.aligned.m8n8.x2.trans.shared.b16 [%0], {%1, %2};" ::"r"(at), "r"(r[0]), "r"(r[1])
                 : "memory");
  if constexpr (count == 4 && !transposed)
    asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(at), "r"(r[0]), "r"(r[1]),
                 "r"(r[2]), "r"(r[3])
                 : "memory");
}

// Lanes whose row address is unused pass an invalid address.
template <int count>
__device__ U32 row_address(const U16* matrices) {
  const int lane = static_cast<int>(threadIdx.x);
  return lane < count * kSide ? address(&matrices[lane * kPitch]) : 0xfffffff1u;
}

// `in` has the matrices, row by row; `out` has [count, 32] registers.
template <int count, bool transposed>
__global__ void load_matrices(const U16* in, U32* out) {
  __shared__ alignas(16) U16 shared[4 * kSide * kPitch];
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = lane; i < count * kMatrix; i += 32) shared[i / kSide * kPitch + i % kSide] = in[i];
  __syncwarp();
  U32 r[4] = {};
  load<count, transposed>(r, row_address<count>(shared));
  for (int i = 0; i < count; ++i) out[i * 32 + lane] = r[i];
}

std::vector<U16> numbers() {
  std::vector<U16> all(4 * kMatrix);
  std::iota(all.begin(), all.end(), U16{1000});
  return all;
}

U32 pair(const std::vector<U16>& matrices, int matrix, int lane, bool transposed) {
  U32 both = 0;
  for (int i = 0; i < 2; ++i) {
    const int row = lane / 4, column = lane % 4 * 2 + i;
    const int index = transposed ? column * kSide + row : row * kSide + column;
    both |= U32{matrices[static_cast<std::size_t>(matrix * kMatrix + index)]} << (16 * i);
  }
  return both;
}

template <int count, bool transposed>
void check_load() {
  const auto matrices = numbers();
  DeviceArray<U16> in(matrices);
  DeviceArray<U32> out(count * 32);
  load_matrices<count, transposed><<<1, 32>>>(in.get(), out.get());
  const auto registers = out.read();
  for (int i = 0; i < count; ++i)
    for (int lane = 0; lane < 32; ++lane)
      EXPECT_EQ(registers[static_cast<std::size_t>(i * 32 + lane)], pair(matrices, i, lane, transposed))
          << i << ", " << lane;
}

TEST(MatrixMove, Load) {
  check_load<1, false>();
  check_load<1, true>();
  check_load<2, false>();
  check_load<2, true>();
  check_load<4, false>();
  check_load<4, true>();
}

// `in` has registers in the layout of load_matrices(); `out` has the matrices.
template <int count, bool transposed>
__global__ void store_matrices(const U32* in, U16* out) {
#if __CUDA_ARCH__ >= 900
  __shared__ alignas(16) U16 shared[4 * kSide * kPitch];
  const int lane = static_cast<int>(threadIdx.x);
  U32 r[4];
  for (int i = 0; i < count; ++i) r[i] = in[i * 32 + lane];
  store<count, transposed>(row_address<count>(shared), r);
  __syncwarp();
  for (int i = lane; i < count * kMatrix; i += 32) out[i] = shared[i / kSide * kPitch + i % kSide];
#endif
}

template <int count, bool transposed>
void check_store() {
  auto matrices = numbers();
  matrices.resize(count * kMatrix);
  std::vector<U32> registers;
  for (int i = 0; i < count; ++i)
    for (int lane = 0; lane < 32; ++lane) registers.push_back(pair(matrices, i, lane, transposed));
  DeviceArray<U32> in(registers);
  DeviceArray<U16> out(matrices.size());
  store_matrices<count, transposed><<<1, 32>>>(in.get(), out.get());
  EXPECT_EQ(out.read(), matrices) << count;
}

TEST(MatrixMove, Store) {
  if (code_architecture() < 90) GTEST_SKIP() << "stmatrix is of sm_90 and later";
  check_store<1, false>();
  check_store<2, true>();
  check_store<4, false>();
}

__global__ void transpose(const U32* in, U32* out) {
  U32 moved;
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(moved) : "r"(in[threadIdx.x]));
  out[threadIdx.x] = moved;
}

TEST(MatrixMove, Transpose) {
  const auto matrices = numbers();
  std::vector<U32> registers, transposed;
  for (int lane = 0; lane < 32; ++lane) {
    registers.push_back(pair(matrices, 0, lane, false));
    transposed.push_back(pair(matrices, 0, lane, true));
  }
  DeviceArray<U32> in(registers), out(32);
  transpose<<<1, 32>>>(in.get(), out.get());
  EXPECT_EQ(out.read(), transposed);
}

}  // namespace matrix_move_test
