// SPDX-License-Identifier: Apache-2.0
//
// The contents of cuBLASLt descriptors. They fit the toolkit's opaque structures, which programs may place on the
// stack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <type_traits>

#include "cublas/status.h"

namespace vgpu::cublas {

struct Layout {
  std::uint32_t type = CUDA_R_32F;
  std::int32_t order = CUBLASLT_ORDER_COL;
  std::uint64_t rows = 0, columns = 0;
  std::int64_t ld = 0;
  std::int32_t batch = 1;
  std::uint32_t batch_mode = CUBLASLT_BATCH_MODE_STRIDED;
  std::int64_t stride = 0;
  std::int64_t plane = 0;
};

// An attribute that is stored but has no effect. A product is refused unless the attribute has its default value.
struct OtherAttribute {
  int number;
  std::size_t size;  // in bytes
  std::int64_t fresh;
};
constexpr int kUnnamedAttribute = 16;  // an attribute that the library accepts but the toolkit does not name
constexpr OtherAttribute kOtherAttributes[] = {
    {CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, 8, 0},
    {CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, 8, 0},
    {CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_BATCH_STRIDE, 8, 0},
    {CUBLASLT_MATMUL_DESC_ALPHA_VECTOR_BATCH_STRIDE, 8, 0},
    {CUBLASLT_MATMUL_DESC_SM_COUNT_TARGET, 4, 0},
    {kUnnamedAttribute, 4, 0},
    {CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, 8, 0},
    {CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, 8, 0},
    {CUBLASLT_MATMUL_DESC_C_SCALE_POINTER, 8, 0},
    {CUBLASLT_MATMUL_DESC_D_SCALE_POINTER, 8, 0},
    {CUBLASLT_MATMUL_DESC_AMAX_D_POINTER, 8, 0},
    {CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_DATA_TYPE, 4, -1},
    {CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_SCALE_POINTER, 8, 0},
    {CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_AMAX_POINTER, 8, 0},
    {CUBLASLT_MATMUL_DESC_FAST_ACCUM, 1, 0},
    {CUBLASLT_MATMUL_DESC_A_SCALE_MODE, 4, 0},
    {CUBLASLT_MATMUL_DESC_B_SCALE_MODE, 4, 0},
    {CUBLASLT_MATMUL_DESC_C_SCALE_MODE, 4, 0},
    {CUBLASLT_MATMUL_DESC_D_SCALE_MODE, 4, 0},
    {CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_SCALE_MODE, 4, 0},
    {CUBLASLT_MATMUL_DESC_D_OUT_SCALE_POINTER, 8, 0},
    {CUBLASLT_MATMUL_DESC_D_OUT_SCALE_MODE, 4, 0},
    {CUBLASLT_MATMUL_DESC_EMULATION_DESCRIPTOR, 8, 0},
};

struct Operation {
  std::int32_t compute = CUBLAS_COMPUTE_32F, scale_type = CUDA_R_32F;
  std::int32_t pointer_mode = CUBLASLT_POINTER_MODE_HOST;
  std::int32_t operation_a = CUBLAS_OP_N, operation_b = CUBLAS_OP_N, operation_c = CUBLAS_OP_N;
  std::int32_t fill = CUBLAS_FILL_MODE_FULL;
  std::uint32_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
  std::int64_t bias_stride = 0;
  std::int32_t bias_type = -1;  // the default is the type of D
  std::int64_t others[std::size(kOtherAttributes)] = {};

  Operation() {
    for (std::size_t i = 0; i < std::size(kOtherAttributes); ++i) others[i] = kOtherAttributes[i].fresh;
  }
};

struct Preference {
  std::uint32_t search = CUBLASLT_SEARCH_BEST_FIT;
  std::uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_MASK;
  std::uint64_t workspace_bytes = 0;
  std::uint32_t alignments[4] = {256, 256, 256, 256};  // of A, B, C, D
  float waves = 0;
  std::uint64_t implementations = ~std::uint64_t{0};
};

// The contents of an opaque structure.
template <class Held, class Opaque>
Held& held_in(Opaque* opaque) {
  static_assert(sizeof(Held) <= sizeof(Opaque) && alignof(Held) <= alignof(Opaque));
  static_assert(std::is_trivially_copyable_v<Held> && std::is_trivially_destructible_v<Held>);
  require(opaque != nullptr);
  return *reinterpret_cast<Held*>(opaque);
}

}  // namespace vgpu::cublas
