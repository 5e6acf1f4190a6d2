// SPDX-License-Identifier: Apache-2.0
//
// wmma.load and wmma.store require that the address of a matrix is aligned to the size of the fragment, that is, to the
// bytes that one lane holds.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <mma.h>

#include <string>

#include "findings.h"

namespace matrix_alignment_test {

namespace wmma = nvcuda::wmma;
using faults::Faults;

constexpr std::size_t kBytes = 4096;

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
struct Tensor {
  using Element = wmma::precision::tf32;
};
#endif

// Describes a fragment as a template argument.
template <class Use, int m, int n, int k, class T, class Layout = void>
struct Matrix {
  using Fragment = wmma::fragment<Use, m, n, k, T, Layout>;
};

template <class F>
__global__ void load(const char* from, int stride) {
  typename F::Fragment fragment;
  using Stored = std::remove_reference_t<decltype(fragment.x[0])>;
  if constexpr (std::is_same_v<F, Matrix<wmma::accumulator, 16, 16, 16, float>> ||
                std::is_same_v<F, Matrix<wmma::accumulator, 16, 16, 16, __half>> ||
                std::is_same_v<F, Matrix<wmma::accumulator, 8, 8, 4, double>>) {
    wmma::load_matrix_sync(fragment, reinterpret_cast<const Stored*>(from), stride, wmma::mem_row_major);
    wmma::store_matrix_sync(reinterpret_cast<Stored*>(const_cast<char*>(from)), fragment, stride, wmma::mem_row_major);
  } else {
    wmma::load_matrix_sync(fragment, reinterpret_cast<const Stored*>(from), stride);
  }
  if (fragment.x[0] == Stored(1)) const_cast<char*>(from)[0] = 0;
}

class MatrixAlignment : public Faults {
 protected:
  // `size` is the size of the fragment in bytes.
  template <class F>
  static void expect_alignment(std::size_t size, int stride) {
    SCOPED_TRACE(testing::Message() << "fragments of " << size << " bytes");
    const char* from = zeros<char>(kBytes);
    const auto on = [=](std::size_t offset) { return [=] { load<F><<<1, 32>>>(from + offset, stride); }; };
    expect_clean(on(size));
    expect_finding(cudaErrorMisalignedAddress,
                   {"misaligned address: a matrix at 0x", "which is not a multiple of " + std::to_string(size) + "\n"},
                   on(size / 2));
    cudaDeviceReset();
  }
};

TEST_F(MatrixAlignment, half) {
  using A = Matrix<wmma::matrix_a, 16, 16, 16, __half, wmma::row_major>;
  using B = Matrix<wmma::matrix_b, 32, 8, 16, __half, wmma::col_major>;
  expect_alignment<A>(32, 16);
  expect_alignment<B>(32, 16);
  expect_alignment<Matrix<wmma::accumulator, 16, 16, 16, __half>>(16, 16);
  expect_alignment<Matrix<wmma::accumulator, 16, 16, 16, float>>(32, 16);
}

TEST_F(MatrixAlignment, bytes) {
  using A = Matrix<wmma::matrix_a, 16, 16, 16, signed char, wmma::row_major>;
  using Low = Matrix<wmma::matrix_a, 8, 32, 16, unsigned char, wmma::row_major>;
  using Tall = Matrix<wmma::matrix_a, 32, 8, 16, unsigned char, wmma::row_major>;
  expect_alignment<A>(8, 16);
  expect_alignment<Low>(4, 16);
  expect_alignment<Tall>(16, 16);
}

TEST_F(MatrixAlignment, later_types) {
  if (architecture() < 80) GTEST_SKIP() << "bf16, tf32 and f64 are of sm_80 and later";
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  using Brain = Matrix<wmma::matrix_a, 16, 16, 16, __nv_bfloat16, wmma::row_major>;
  using TallBrain = Matrix<wmma::matrix_b, 8, 32, 16, __nv_bfloat16, wmma::row_major>;
  using Tf32 = Matrix<wmma::matrix_a, 16, 16, 8, Tensor::Element, wmma::row_major>;
  using Double = Matrix<wmma::matrix_a, 8, 8, 4, double, wmma::row_major>;
  expect_alignment<Brain>(16, 16);
  expect_alignment<TallBrain>(32, 32);
  expect_alignment<Tf32>(16, 8);
  expect_alignment<Double>(8, 4);
  expect_alignment<Matrix<wmma::accumulator, 8, 8, 4, double>>(16, 8);
#endif
}

// The CUDA C++ Programming Guide allows any stride that is a multiple of 16 bytes.
TEST_F(MatrixAlignment, strides) {
  using A = Matrix<wmma::matrix_a, 16, 16, 16, __half, wmma::row_major>;
  const char* from = zeros<char>(kBytes);
  expect_clean([=] { load<A><<<1, 32>>>(from, 24); });
  expect_finding(cudaErrorMisalignedAddress, {"a matrix with a stride of 40 bytes, which is not a multiple of 16"},
                 [=] { load<A><<<1, 32>>>(from, 20); });
}

}  // namespace matrix_alignment_test
