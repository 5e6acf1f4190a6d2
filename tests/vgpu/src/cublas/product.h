// SPDX-License-Identifier: Apache-2.0
//
// D = alpha op(A) op(B) + beta C with an optional epilogue. Both libraries translate their checked arguments to this
// form.
#pragma once

#include <library_types.h>

#include <cstddef>
#include <cstdint>

#include "cudart/vgpu.h"

namespace vgpu::cublas {

struct Matrix {
  const void* data = nullptr;
  cudaDataType type = CUDA_R_32F;
  std::int64_t rows = 0, columns = 0;
  std::int64_t ld = 0;
  bool row_major = false;
  std::int64_t stride = 0;  // elements from one matrix of the batch to the next

  // Lines are the contiguous rows or columns.
  std::int64_t lines() const { return row_major ? rows : columns; }
  std::int64_t line_length() const { return row_major ? columns : rows; }
};

// A scalar: a value passed from the host, or the address of a value in device memory.
struct Scalar {
  double value = 0;
  const void* device = nullptr;
};

enum class Epilogue : std::uint8_t {
  kNone,
  kBias,       // adds bias[i] to row i of D
  kGradientA,  // stores the sums of op(A) over k
  kGradientB,  // stores the sums of op(B) over k
};

struct Product {
  const char* name;
  bool transpose_a = false, transpose_b = false;
  Matrix a, b, c, d;
  bool tf32 = false;  // fp32 factors are rounded to TF32, as tensor cores may do
  std::int64_t k = 0;
  int batch = 1;
  Scalar alpha, beta;
  Epilogue epilogue = Epilogue::kNone;
  const void* bias = nullptr;
  cudaDataType bias_type = CUDA_R_32F;
  std::int64_t bias_stride = 0;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;

  std::int64_t bias_length() const { return epilogue == Epilogue::kGradientB ? d.columns : d.rows; }
};

// Submits the product to the stream. Fails with CUBLAS_STATUS_EXECUTION_FAILED.
void issue(const Product& product, void* stream);

}  // namespace vgpu::cublas
