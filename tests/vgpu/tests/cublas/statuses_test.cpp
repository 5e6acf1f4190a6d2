// SPDX-License-Identifier: Apache-2.0
//
// Tests the statuses of cuBLAS for invalid arguments.
#include <array>

#include "test_matrices.h"

namespace blas {
namespace {

class Statuses : public testing::Test {
 protected:
  Statuses() {
    EXPECT_EQ(cublasCreate(&handle_), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(cublasSetWorkspace(handle_, workspace_.data(), Workspace::kBytes), CUBLAS_STATUS_SUCCESS);
  }
  ~Statuses() override { cublasDestroy(handle_); }

  // The arguments of a valid product. Each test makes one of them invalid.
  struct Arguments {
    cublasOperation_t operation_a = CUBLAS_OP_N, operation_b = CUBLAS_OP_N;
    int m = 4, n = 3, k = 2;
    const float* alpha = &kOne;
    const void* a;
    cudaDataType type_a = CUDA_R_32F;
    int ld_a = 4;
    const void* b;
    cudaDataType type_b = CUDA_R_32F;
    int ld_b = 2;
    const float* beta = &kOne;
    void* c;
    cudaDataType type_c = CUDA_R_32F;
    int ld_c = 4;
    cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
    int algorithm = CUBLAS_GEMM_DEFAULT;
    int batch = 1;
  };

  template <class Change>
  cublasStatus_t with(Change change) {
    Arguments of;
    of.a = a_.data(), of.b = b_.data(), of.c = c_.data();
    change(of);
    return cublasGemmStridedBatchedEx(handle_, of.operation_a, of.operation_b, of.m, of.n, of.k, of.alpha, of.a,
                                      of.type_a, of.ld_a, 0, of.b, of.type_b, of.ld_b, 0, of.beta, of.c, of.type_c,
                                      of.ld_c, 12, of.batch, of.compute, static_cast<cublasGemmAlgo_t>(of.algorithm));
  }
  template <class Change>
  void expect_invalid(Change change) {
    EXPECT_EQ(with(change), CUBLAS_STATUS_INVALID_VALUE);
  }

  static constexpr float kOne = 1;
  Workspace workspace_;
  const DeviceArray a_{CUDA_R_32F, std::vector<double>(16, 1)}, b_{CUDA_R_32F, std::vector<double>(16, 1)},
      c_{CUDA_R_32F, std::vector<double>(16, 1)};
  cublasHandle_t handle_ = nullptr;
};

TEST_F(Statuses, WrongArgumentsOfAProduct) {
  EXPECT_EQ(with([](Arguments&) {}), CUBLAS_STATUS_SUCCESS);
  expect_invalid([](Arguments& of) { of.operation_a = CUBLAS_OP_CONJG; });
  expect_invalid([](Arguments& of) { of.operation_b = CUBLAS_OP_CONJG; });
  expect_invalid([](Arguments& of) { of.m = -1; });
  expect_invalid([](Arguments& of) { of.n = -1; });
  expect_invalid([](Arguments& of) { of.k = -1; });
  expect_invalid([](Arguments& of) { of.batch = -1; });
  expect_invalid([](Arguments& of) { of.ld_a = 3; });
  expect_invalid([](Arguments& of) { of.operation_a = CUBLAS_OP_T, of.ld_a = 1; });
  expect_invalid([](Arguments& of) { of.ld_b = 1; });
  expect_invalid([](Arguments& of) { of.operation_b = CUBLAS_OP_T, of.ld_b = 2; });
  expect_invalid([](Arguments& of) { of.ld_c = 3; });
  expect_invalid([](Arguments& of) { of.alpha = nullptr; });
  expect_invalid([](Arguments& of) { of.beta = nullptr; });
  expect_invalid([](Arguments& of) { of.a = nullptr; });
  expect_invalid([](Arguments& of) { of.b = nullptr; });
  expect_invalid([](Arguments& of) { of.c = nullptr; });
  expect_invalid([](Arguments& of) { of.a = static_cast<const char*>(of.a) + 2; });
  expect_invalid([](Arguments& of) { of.compute = static_cast<cublasComputeType_t>(1); });
  expect_invalid([](Arguments& of) { of.algorithm = 55; });
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
}

TEST_F(Statuses, TypesThatDoNotGoTogether) {
  const auto types = [&](cudaDataType a, cudaDataType b, cudaDataType c) {
    return with([=](Arguments& of) { of.type_a = a, of.type_b = b, of.type_c = c; });
  };
  EXPECT_EQ(types(CUDA_R_16F, CUDA_R_16BF, CUDA_R_32F), CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(types(CUDA_R_16F, CUDA_R_16F, CUDA_R_16BF), CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(types(CUDA_R_32F, CUDA_R_32F, CUDA_R_16F), CUBLAS_STATUS_NOT_SUPPORTED);
}

// An empty product reads no matrix, so its matrix pointers may be null.
TEST_F(Statuses, EmptyProducts) {
  const auto empty = [](Arguments& of) { of.a = of.b = of.c = nullptr; };
  EXPECT_EQ(with([&](Arguments& of) { empty(of), of.m = 0; }), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(with([&](Arguments& of) { empty(of), of.n = 0; }), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(with([&](Arguments& of) { empty(of), of.batch = 0; }), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
}

TEST_F(Statuses, WhatIsNotModelledIsRefusedByName) {
  if (!is_virtual()) GTEST_SKIP() << "a GPU computes these";
  testing::internal::CaptureStderr();
  EXPECT_EQ(with([](Arguments& of) { of.compute = CUBLAS_COMPUTE_64F; }), CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(with([](Arguments& of) { of.type_a = CUDA_R_8I; }), CUBLAS_STATUS_NOT_SUPPORTED);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("compute type 70 is not modelled"), std::string::npos) << said;
  EXPECT_NE(said.find("a matrix of type 3 is not modelled"), std::string::npos) << said;
}

TEST_F(Statuses, HandlesAndWhatIsSetForThem) {
  cublasHandle_t gone = nullptr;
  ASSERT_EQ(cublasCreate(&gone), CUBLAS_STATUS_SUCCESS);
  ASSERT_EQ(cublasDestroy(gone), CUBLAS_STATUS_SUCCESS);
  if (is_virtual()) {
    EXPECT_EQ(cublasDestroy(gone), CUBLAS_STATUS_NOT_INITIALIZED);
    EXPECT_EQ(cublasSetStream(gone, nullptr), CUBLAS_STATUS_NOT_INITIALIZED);
  }
  EXPECT_EQ(cublasSetMathMode(handle_, static_cast<cublasMath_t>(7)), CUBLAS_STATUS_INVALID_VALUE);
  cublasMath_t math = CUBLAS_TENSOR_OP_MATH;
  EXPECT_EQ(cublasGetMathMode(handle_, &math), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(math, CUBLAS_DEFAULT_MATH);
  EXPECT_EQ(cublasSetMathMode(handle_, CUBLAS_PEDANTIC_MATH), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(cublasGetMathMode(handle_, &math), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(math, CUBLAS_PEDANTIC_MATH);
  cublasPointerMode_t pointers = CUBLAS_POINTER_MODE_DEVICE;
  EXPECT_EQ(cublasGetPointerMode(handle_, &pointers), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(pointers, CUBLAS_POINTER_MODE_HOST);
}

TEST_F(Statuses, Workspaces) {
  EXPECT_EQ(cublasSetWorkspace(handle_, static_cast<char*>(workspace_.data()) + 64, 1 << 20),
            CUBLAS_STATUS_INVALID_VALUE);
  const auto product = [&] { return with([](Arguments&) {}); };
  ASSERT_EQ(cublasSetWorkspace(handle_, workspace_.data(), 1024), CUBLAS_STATUS_SUCCESS);
  if (is_virtual()) {
    EXPECT_EQ(product(), CUBLAS_STATUS_ALLOC_FAILED) << "products of some shapes need more";
  }
  auto* count = find_vgpu<unsigned long long()>("vgpu_cublas_without_workspace");
  if (count == nullptr) GTEST_SKIP() << "a GPU does not count products without a workspace";
  const unsigned long long before = count();
  ASSERT_EQ(cublasSetWorkspace(handle_, workspace_.data(), Workspace::kBytes), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(product(), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(count() - before, 0u);
  ASSERT_EQ(cublasSetStream(handle_, nullptr), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(product(), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(count() - before, 1u) << "setting a stream puts the workspace back";
}

}  // namespace
}  // namespace blas
