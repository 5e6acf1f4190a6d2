// SPDX-License-Identifier: Apache-2.0
//
// cuBLAS is column-major: it reads a row-major matrix as its transpose. The product is therefore computed as
// out^T = b^T a^T.
#include "encoder/cuda/cublas.h"

#include <string>
#include <type_traits>

#include "base/dtype.h"
#include "cuda/check.h"

namespace attn::internal::cuda {
namespace {

void check(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw Failure(status == CUBLAS_STATUS_ALLOC_FAILED ? ATTN_OUT_OF_MEMORY : ATTN_LIBRARY_ERROR,
                std::string(call) + ": " + cublasLtGetStatusString(status));
}

// The alignment of a pointer in bytes, up to the largest that cuBLAS algorithms distinguish.
std::uint32_t alignment(const void* pointer) {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  return address % 16 == 0 ? 16 : address % 8 == 0 ? 8 : address % 4 == 0 ? 4 : 2;
}

cudaDataType_t data_type(attn_dtype_t dtype) {
  return dtype == ATTN_DTYPE_FP32 ? CUDA_R_32F : dtype == ATTN_DTYPE_FP16 ? CUDA_R_16F : CUDA_R_16BF;
}

template <class Object, cublasStatus_t (*destroy)(Object)>
struct Owner {
  Object object = nullptr;
  Owner() = default;
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() {
    if (object != nullptr) destroy(object);
  }
};

// The layout in memory: the columns of cuBLAS are our rows.
struct LayoutOf : Owner<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy> {
  LayoutOf(attn_dtype_t dtype, std::int64_t rows, std::int64_t columns, bool transposed) {
    const std::int64_t width = transposed ? rows : columns;
    check(cublasLtMatrixLayoutCreate(&object, data_type(dtype), static_cast<std::uint64_t>(width),
                                     static_cast<std::uint64_t>(transposed ? columns : rows), width),
          "cublasLtMatrixLayoutCreate");
  }
};

struct Operation : Owner<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy> {
  explicit Operation(cublasComputeType_t type) {
    check(cublasLtMatmulDescCreate(&object, type, CUDA_R_32F), "cublasLtMatmulDescCreate");
  }
  template <class Value>
  void set(cublasLtMatmulDescAttributes_t attribute, const Value& value) {
    check(cublasLtMatmulDescSetAttribute(object, attribute, &value, sizeof value), "cublasLtMatmulDescSetAttribute");
  }
};

struct Preference : Owner<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy> {
  Preference() { check(cublasLtMatmulPreferenceCreate(&object), "cublasLtMatmulPreferenceCreate"); }
  template <class Value>
  void set(cublasLtMatmulPreferenceAttributes_t attribute, const Value& value) {
    check(cublasLtMatmulPreferenceSetAttribute(object, attribute, &value, sizeof value),
          "cublasLtMatmulPreferenceSetAttribute");
  }
};

}  // namespace

Cublas::Cublas() {
  cublasLtHandle_t handle = nullptr;
  check(cublasLtCreate(&handle), "cublasLtCreate");
  handle_.reset(handle);
}

void Cublas::multiply(const Product& p, bool tf32, void* workspace, cudaStream_t stream) {
  if (p.rows == 0 || p.columns == 0) return;
  if (p.depth == 0) {  // an empty sum, which cuBLAS rejects
    if (p.bias != nullptr) throw Failure(ATTN_INTERNAL_ERROR, "a product of depth 0 with a bias");
    if (!p.accumulate)
      check(
          cudaMemsetAsync(p.out, 0, static_cast<std::size_t>(p.rows * p.columns) * element_bytes(p.out_dtype), stream),
          "cudaMemsetAsync");
    return;
  }
  // In the names of cuBLAS, A is our b and B is our a.
  Operation operation(tf32 && p.dtype == ATTN_DTYPE_FP32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F);
  operation.set(CUBLASLT_MATMUL_DESC_TRANSA, p.b.transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
  operation.set(CUBLASLT_MATMUL_DESC_TRANSB, p.a.transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
  if (p.bias != nullptr) {
    operation.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    operation.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
  }
  const LayoutOf a(p.dtype, p.rows, p.depth, p.a.transposed), b(p.dtype, p.depth, p.columns, p.b.transposed),
      out(p.out_dtype, p.rows, p.columns, false);

  const std::uint32_t alignments[] = {alignment(p.b.values), alignment(p.a.values), alignment(p.out)};
  const Key key{p.rows,         p.columns,
                p.depth,        p.dtype,
                p.out_dtype,    p.a.transposed,
                p.b.transposed, p.bias != nullptr,
                tf32,           (alignments[0] * 32 + alignments[1]) * 32 + alignments[2]};
  auto found = algorithms_.find(key);
  if (found == algorithms_.end()) {
    Preference preference;
    preference.set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{kGivenBytes});
    preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignments[0]);
    preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignments[1]);
    preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignments[2]);
    preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignments[2]);
    cublasLtMatmulHeuristicResult_t result{};
    int count = 0;
    check(cublasLtMatmulAlgoGetHeuristic(handle_.get(), operation.object, b.object, a.object, out.object, out.object,
                                         preference.object, 1, &result, &count),
          "cublasLtMatmulAlgoGetHeuristic");
    if (count == 0)
      throw Failure(ATTN_LIBRARY_ERROR, "cublasLtMatmulAlgoGetHeuristic: expected an algorithm, got none");
    found = algorithms_.emplace(key, result.algo).first;
  }
  std::size_t space = kWorkspaceBytes;
  std::align(kAlignment, kGivenBytes, workspace, space);
  const float one = 1, beta = p.accumulate ? 1.0f : 0.0f;
  check(cublasLtMatmul(handle_.get(), operation.object, &one, p.b.values, b.object, p.a.values, a.object, &beta, p.out,
                       out.object, p.out, out.object, &found->second, workspace, kGivenBytes, stream),
        "cublasLtMatmul");
}

}  // namespace attn::internal::cuda
