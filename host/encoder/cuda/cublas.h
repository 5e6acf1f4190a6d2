// SPDX-License-Identifier: Apache-2.0
//
// Matrix products by cuBLASLt, for row-major matrices of our storage types.
#pragma once

#include <cublasLt.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>

#include "attn_cuda/attn_cuda.h"

namespace attn::internal::cuda {

struct Matrix {
  const void* values;
  bool transposed = false;  // stored as its transpose
};

struct Product {
  std::int64_t rows, columns, depth;
  attn_dtype_t dtype;          // of both factors
  Matrix a;                    // [rows, depth]
  Matrix b;                    // [depth, columns]
  const void* bias = nullptr;  // [columns] of out_dtype, added to each row; null: none
  bool accumulate = false;
  attn_dtype_t out_dtype;  // that of the factors, or fp32
  void* out;               // [rows, columns]
};

// Sums are fp32. Which algorithm runs is asked for once for each shape, and kept.
class Cublas {
 public:
  // The workspace of every product, so that cuBLAS allocates none itself. It must be aligned to 256 bytes; our
  // workspaces are aligned to 64.
  static constexpr std::size_t kGivenBytes = std::size_t{4} << 20, kAlignment = 256;
  static constexpr std::size_t kWorkspaceBytes = kGivenBytes + kAlignment;

  Cublas();

  // workspace: kWorkspaceBytes, aligned to 64 bytes. Sizes may be zero.
  void multiply(const Product& product, bool tf32, void* workspace, cudaStream_t stream);

 private:
  struct Destroy {
    void operator()(cublasLtHandle_t handle) const { cublasLtDestroy(handle); }
  };
  using Key = std::array<std::int64_t, 10>;

  std::unique_ptr<std::remove_pointer_t<cublasLtHandle_t>, Destroy> handle_;
  std::map<Key, cublasLtMatmulAlgo_t> algorithms_;
};

}  // namespace attn::internal::cuda
