// SPDX-License-Identifier: Apache-2.0
//
// D = alpha op(A) op(B) + beta C, and what an epilogue adds: what both libraries make of their arguments, once those are
// checked.
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
  std::int64_t stride = 0;  // elements to the same matrix of the next product

  // What lies side by side in memory.
  std::int64_t lines() const { return row_major ? rows : columns; }
  std::int64_t line_length() const { return row_major ? columns : rows; }
};

// A float of the host, or where the device has one.
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
  bool tf32 = false;  // factors in fp32 are rounded to it, as tensor cores may
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

// Puts the product into the stream. Fails with CUBLAS_STATUS_EXECUTION_FAILED.
void issue(const Product& product, void* stream);

}  // namespace vgpu::cublas
