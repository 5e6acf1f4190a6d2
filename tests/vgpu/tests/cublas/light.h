// SPDX-License-Identifier: Apache-2.0
//
// RAII wrappers for cuBLASLt descriptors, which are freed at the end of the scope.
#pragma once

#include "test_matrices.h"

namespace blas {

class Operation {
 public:
  explicit Operation(cublasComputeType_t compute = CUBLAS_COMPUTE_32F, cudaDataType scale = CUDA_R_32F) {
    EXPECT_EQ(cublasLtMatmulDescCreate(&operation_, compute, scale), CUBLAS_STATUS_SUCCESS);
  }
  ~Operation() { cublasLtMatmulDescDestroy(operation_); }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  operator cublasLtMatmulDesc_t() const { return operation_; }

  template <class Value>
  Operation& set(cublasLtMatmulDescAttributes_t attribute, Value value) {
    EXPECT_EQ(cublasLtMatmulDescSetAttribute(operation_, attribute, &value, sizeof value), CUBLAS_STATUS_SUCCESS);
    return *this;
  }

 private:
  cublasLtMatmulDesc_t operation_ = nullptr;
};

class Layout {
 public:
  Layout(cudaDataType type, const HostMatrix& matrix) {
    EXPECT_EQ(cublasLtMatrixLayoutCreate(&layout_, type, static_cast<std::uint64_t>(matrix.rows),
                                         static_cast<std::uint64_t>(matrix.columns), matrix.ld),
              CUBLAS_STATUS_SUCCESS);
    set(CUBLASLT_MATRIX_LAYOUT_ORDER, matrix.row_major ? CUBLASLT_ORDER_ROW : CUBLASLT_ORDER_COL);
  }
  ~Layout() { cublasLtMatrixLayoutDestroy(layout_); }
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;
  operator cublasLtMatrixLayout_t() const { return layout_; }

  template <class Value>
  Layout& set(cublasLtMatrixLayoutAttribute_t attribute, Value value) {
    EXPECT_EQ(cublasLtMatrixLayoutSetAttribute(layout_, attribute, &value, sizeof value), CUBLAS_STATUS_SUCCESS);
    return *this;
  }
  void batch(int count, std::int64_t stride) {
    set(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, count).set(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, stride);
  }

 private:
  cublasLtMatrixLayout_t layout_ = nullptr;
};

class Preference {
 public:
  Preference() { EXPECT_EQ(cublasLtMatmulPreferenceCreate(&preference_), CUBLAS_STATUS_SUCCESS); }
  ~Preference() { cublasLtMatmulPreferenceDestroy(preference_); }
  Preference(const Preference&) = delete;
  Preference& operator=(const Preference&) = delete;
  operator cublasLtMatmulPreference_t() const { return preference_; }

  template <class Value>
  Preference& set(cublasLtMatmulPreferenceAttributes_t attribute, Value value) {
    EXPECT_EQ(cublasLtMatmulPreferenceSetAttribute(preference_, attribute, &value, sizeof value),
              CUBLAS_STATUS_SUCCESS);
    return *this;
  }

 private:
  cublasLtMatmulPreference_t preference_ = nullptr;
};

class Light : public testing::Test {
 protected:
  Light() { EXPECT_EQ(cublasLtCreate(&handle_), CUBLAS_STATUS_SUCCESS); }
  ~Light() override { EXPECT_EQ(cublasLtDestroy(handle_), CUBLAS_STATUS_SUCCESS); }

  // Multiplies with the best algorithm that the heuristic finds, in place (C and D are the same matrix).
  cublasStatus_t multiply(const Operation& operation, float alpha, const DeviceArray& a, const Layout& layout_a,
                          const DeviceArray& b, const Layout& layout_b, float beta, const DeviceArray& d,
                          const Layout& layout_d) {
    Preference preference;
    preference.set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{Workspace::kBytes});
    cublasLtMatmulHeuristicResult_t result{};
    int count = 0;
    const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(handle_, operation, layout_a, layout_b, layout_d,
                                                                 layout_d, preference, 1, &result, &count);
    if (status != CUBLAS_STATUS_SUCCESS) return status;
    return cublasLtMatmul(handle_, operation, &alpha, a.data(), layout_a, b.data(), layout_b, &beta, d.data(), layout_d,
                          d.data(), layout_d, &result.algo, workspace_.data(), result.workspaceSize, nullptr);
  }

  Workspace workspace_;
  cublasLtHandle_t handle_ = nullptr;
};

}  // namespace blas
