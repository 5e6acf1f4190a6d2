// SPDX-License-Identifier: Apache-2.0
//
// Tests the statuses of cuBLASLt for contradictory descriptors, and for arguments that an algorithm does not support.
#include "light.h"

namespace blas {
namespace {

class LtStatuses : public Light {
 protected:
  // The product D = A B of 8 x 8 matrices. Each test makes one of its settings invalid.
  struct Product {
    Operation operation{CUBLAS_COMPUTE_32F};
    Layout a{CUDA_R_32F, kSquare}, b{CUDA_R_32F, kSquare}, c{CUDA_R_32F, kSquare}, d{CUDA_R_32F, kSquare};
    Preference preference;
    std::size_t shift_a = 0, shift_d = 0;  // in elements
    void* workspace = nullptr;
    std::size_t workspace_bytes = Workspace::kBytes;
    const float* alpha = &kOne;
  };

  cublasStatus_t choose(const Product& of, cublasLtMatmulHeuristicResult_t& result, int wanted = 1) {
    int count = 0;
    return cublasLtMatmulAlgoGetHeuristic(handle_, of.operation, of.a, of.b, of.c, of.d, of.preference, wanted, &result,
                                          &count);
  }
  template <class Change>
  cublasStatus_t with(Change change) {
    Product of;
    of.workspace = workspace_.data();
    of.preference.set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{Workspace::kBytes});
    change(of);
    cublasLtMatmulHeuristicResult_t result{};
    const cublasStatus_t status = choose(of, result);
    if (status != CUBLAS_STATUS_SUCCESS) return status;
    return cublasLtMatmul(handle_, of.operation, of.alpha, a_.floats() + of.shift_a, of.a, b_.data(), of.b, &kZero,
                          d_.floats() + of.shift_d, of.c, d_.floats() + of.shift_d, of.d, &result.algo, of.workspace,
                          of.workspace_bytes, nullptr);
  }

  static constexpr float kOne = 1, kZero = 0;
  static inline const HostMatrix kSquare{8, 8, 8};
  const DeviceArray a_{CUDA_R_32F, std::vector<double>(80, 1)}, b_{CUDA_R_32F, std::vector<double>(80, 1)},
      d_{CUDA_R_32F, std::vector<double>(80, 1)};
};

TEST_F(LtStatuses, ContradictionsAreInvalid) {
  EXPECT_EQ(with([](Product&) {}), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(with([](Product& of) { of.a.set(CUBLASLT_MATRIX_LAYOUT_ROWS, std::uint64_t{7}); }),
            CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(with([](Product& of) { of.b.set(CUBLASLT_MATRIX_LAYOUT_ROWS, std::uint64_t{7}); }),
            CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(with([](Product& of) { of.b.set(CUBLASLT_MATRIX_LAYOUT_COLS, std::uint64_t{7}); }),
            CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(with([](Product& of) { of.c.set(CUBLASLT_MATRIX_LAYOUT_COLS, std::uint64_t{7}); }),
            CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(with([](Product& of) { of.d.set(CUBLASLT_MATRIX_LAYOUT_LD, std::int64_t{7}); }),
            CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(with([](Product& of) { of.a.set(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, 2); }), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(with([](Product& of) { of.d.set(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, 0); }), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(with([](Product& of) { of.a.set(CUBLASLT_MATRIX_LAYOUT_ORDER, 77); }), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(with([](Product& of) { of.operation.set(CUBLASLT_MATMUL_DESC_TRANSA, 9); }), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(with([](Product& of) { of.operation.set(CUBLASLT_MATMUL_DESC_EPILOGUE, 3); }), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(with([](Product& of) { of.operation.set(CUBLASLT_MATMUL_DESC_COMPUTE_TYPE, 3); }),
            CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(with([](Product& of) { of.alpha = nullptr; }), CUBLAS_STATUS_INVALID_VALUE);
}

TEST_F(LtStatuses, TypesThatDoNotGoTogether) {
  EXPECT_EQ(with([](Product& of) { of.a.set(CUBLASLT_MATRIX_LAYOUT_TYPE, CUDA_R_16F); }), CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(with([](Product& of) { of.c.set(CUBLASLT_MATRIX_LAYOUT_TYPE, CUDA_R_16F); }), CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(with([](Product& of) { of.operation.set(CUBLASLT_MATMUL_DESC_SCALE_TYPE, CUDA_R_16F); }),
            CUBLAS_STATUS_NOT_SUPPORTED);
}

TEST_F(LtStatuses, ABiasHasToBeThereAndAligned) {
  const auto biased = [&](std::size_t bytes, cudaDataType type) {
    return with([&, bytes, type](Product& of) {
      of.operation.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
      of.operation.set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, type);
      const char* bias = bytes == 99 ? nullptr : static_cast<const char*>(b_.data()) + bytes;
      of.operation.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
    });
  };
  EXPECT_EQ(biased(0, CUDA_R_32F), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(biased(99, CUDA_R_32F), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(biased(2, CUDA_R_32F), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(biased(0, CUDA_R_16F), CUBLAS_STATUS_NOT_SUPPORTED);
}

// An algorithm that was chosen for a given pointer alignment or workspace size must not be used with less.
TEST_F(LtStatuses, WhatAnAlgorithmWasChosenFor) {
  EXPECT_EQ(with([](Product& of) { of.shift_a = 1; }), CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(with([](Product& of) { of.shift_d = 1; }), CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(with([](Product& of) {
              of.preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, std::uint32_t{4});
              of.shift_a = 1;
            }),
            CUBLAS_STATUS_SUCCESS);
  if (!is_virtual()) GTEST_SKIP() << "on a GPU the best algorithm may need no workspace";
  EXPECT_EQ(with([](Product& of) { of.workspace_bytes = 1024; }), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(with([](Product& of) { of.workspace = static_cast<char*>(of.workspace) + 64; }),
            CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(with([](Product& of) {
              of.preference.set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{0});
              of.workspace = nullptr, of.workspace_bytes = 0;
            }),
            CUBLAS_STATUS_SUCCESS);
}

TEST_F(LtStatuses, AtLeastOneAlgorithmIsWanted) {
  const Product of{};
  cublasLtMatmulHeuristicResult_t result{};
  EXPECT_EQ(choose(of, result, 0), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(choose(of, result, 1), CUBLAS_STATUS_SUCCESS);
}

TEST_F(LtStatuses, WhatIsNotModelledIsRefusedByName) {
  if (!is_virtual()) GTEST_SKIP() << "a GPU computes these";
  testing::internal::CaptureStderr();
  EXPECT_EQ(with([](Product& of) { of.operation.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_GELU); }),
            CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(with([](Product& of) { of.operation.set(CUBLASLT_MATMUL_DESC_POINTER_MODE, 2); }),
            CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(with([](Product& of) { of.operation.set(CUBLASLT_MATMUL_DESC_FAST_ACCUM, std::int8_t{1}); }),
            CUBLAS_STATUS_NOT_SUPPORTED);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("epilogue 32 is not modelled"), std::string::npos) << said;
  EXPECT_NE(said.find("a vector of factors is not modelled"), std::string::npos) << said;
  EXPECT_NE(said.find("attribute 25 of a product is not modelled"), std::string::npos) << said;
}

}  // namespace
}  // namespace blas
