// SPDX-License-Identifier: Apache-2.0
//
// Compares the matrix products of cuBLAS with plain loops.
#include "test_matrices.h"

namespace blas {
namespace {

class Gemm : public testing::Test {
 protected:
  Gemm() {
    EXPECT_EQ(cublasCreate(&handle_), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(cublasSetWorkspace(handle_, workspace_.data(), Workspace::kBytes), CUBLAS_STATUS_SUCCESS);
  }
  ~Gemm() override { EXPECT_EQ(cublasDestroy(handle_), CUBLAS_STATUS_SUCCESS); }

  Workspace workspace_;
  cublasHandle_t handle_ = nullptr;
};

struct Shape {
  int m, n, k;
  int pad;  // padding elements between columns
};

constexpr Shape kShapes[] = {{1, 1, 1, 0},   {7, 3, 5, 0},     {8, 4, 256, 2},
                             {33, 17, 9, 3}, {130, 6, 300, 1}, {5, 65, 31, 0}};
constexpr cublasOperation_t kOperations[] = {CUBLAS_OP_N, CUBLAS_OP_T, CUBLAS_OP_C};

// Returns the expected contents of C, including its padding.
std::vector<double> expected(const HostMatrix& a, bool transpose_a, const HostMatrix& b, bool transpose_b,
                             const HostMatrix& c, double alpha, double beta, cudaDataType type) {
  std::vector<double> all = c.values;
  for (int row = 0; row < c.rows; ++row)
    for (int column = 0; column < c.columns; ++column)
      all[c.at(row, column)] = rounded(
          type, alpha * dot(a, transpose_a, b, transpose_b, row, column) + (beta == 0 ? 0 : beta * c(row, column)));
  return all;
}

TEST_F(Gemm, EveryOperationOnRaggedShapes) {
  for (const Shape& shape : kShapes)
    for (const cublasOperation_t operation_a : kOperations)
      for (const cublasOperation_t operation_b : kOperations)
        for (const auto& [alpha, beta] : {std::pair(1.0f, 0.0f), {0.5f, 1.0f}, {-2.0f, 0.25f}}) {
          const bool transpose_a = operation_a != CUBLAS_OP_N, transpose_b = operation_b != CUBLAS_OP_N;
          const auto [m, n, k, pad] = shape;
          const HostMatrix a =
              HostMatrix{transpose_a ? k : m, transpose_a ? m : k, (transpose_a ? k : m) + pad}.fill(1);
          const HostMatrix b =
              HostMatrix{transpose_b ? n : k, transpose_b ? k : n, (transpose_b ? n : k) + pad}.fill(2);
          const HostMatrix c = HostMatrix{m, n, m + pad}.fill(3);
          const DeviceArray on_a(CUDA_R_32F, a.values), on_b(CUDA_R_32F, b.values), on_c(CUDA_R_32F, c.values);
          ASSERT_EQ(cublasSgemm(handle_, operation_a, operation_b, m, n, k, &alpha, on_a.floats(), a.ld, on_b.floats(),
                                b.ld, &beta, on_c.floats(), c.ld),
                    CUBLAS_STATUS_SUCCESS);
          expect_same(on_c.values(), expected(a, transpose_a, b, transpose_b, c, alpha, beta, CUDA_R_32F));
        }
}

TEST_F(Gemm, EveryTypeIsRoundedOnce) {
  struct Types {
    cudaDataType factor, result;
  };
  for (const auto& [factor, result] : {Types{CUDA_R_32F, CUDA_R_32F},
                                       {CUDA_R_16F, CUDA_R_16F},
                                       {CUDA_R_16BF, CUDA_R_16BF},
                                       {CUDA_R_16F, CUDA_R_32F},
                                       {CUDA_R_16BF, CUDA_R_32F}})
    for (const cublasComputeType_t compute : {CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_32F_PEDANTIC}) {
      const HostMatrix a = HostMatrix{19, 77, 20}.fill(4), b = HostMatrix{77, 23, 77}.fill(5);
      const HostMatrix c = HostMatrix{19, 23, 21}.fill(6);
      const DeviceArray on_a(factor, a.values), on_b(factor, b.values), on_c(result, c.values);
      const float alpha = 0.5f, beta = 2.0f;
      ASSERT_EQ(cublasGemmEx(handle_, CUBLAS_OP_N, CUBLAS_OP_N, 19, 23, 77, &alpha, on_a.data(), factor, a.ld,
                             on_b.data(), factor, b.ld, &beta, on_c.data(), result, c.ld, compute, CUBLAS_GEMM_DEFAULT),
                CUBLAS_STATUS_SUCCESS);
      expect_same(on_c.values(), expected(a, false, b, false, c, alpha, beta, result));
    }
}

// An fp32 accumulator would lose the small summands that are added one by one.
TEST_F(Gemm, SumsAreWider) {
  if (!is_virtual()) GTEST_SKIP() << "a GPU sums in fp32";
  constexpr int kDepth = 1001;
  std::vector<double> ones(kDepth, 1);
  ones[0] = 16777216;
  const DeviceArray a(CUDA_R_32F, ones), b(CUDA_R_32F, std::vector<double>(kDepth, 1)), c(CUDA_R_32F, 1);
  const float alpha = 1.0f / 3, beta = 0;
  ASSERT_EQ(cublasSgemm(handle_, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, kDepth, &alpha, a.floats(), 1, b.floats(), kDepth,
                        &beta, c.floats(), 1),
            CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(c.values()[0], rounded(CUDA_R_32F, static_cast<double>(alpha) * 16778216));
}

TEST_F(Gemm, WithoutBetaNothingOfCIsRead) {
  const float alpha = 1, beta = 0;
  const DeviceArray a(CUDA_R_32F, std::vector<double>{2}), nan(CUDA_R_32F, std::vector<double>{kNan}),
      fresh(CUDA_R_32F, 1);
  for (const DeviceArray* c : {&nan, &fresh}) {
    ASSERT_EQ(cublasSgemm(handle_, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &alpha, a.floats(), 1, a.floats(), 1, &beta,
                          c->floats(), 1),
              CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(c->values()[0], 4);
  }
}

TEST_F(Gemm, WithoutDepthCIsScaled) {
  const float alpha = 1, beta = 0.5f;
  const DeviceArray c(CUDA_R_32F, std::vector<double>{1, 2, 3, 4});
  ASSERT_EQ(
      cublasSgemm(handle_, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 0, &alpha, nullptr, 2, nullptr, 1, &beta, c.floats(), 2),
      CUBLAS_STATUS_SUCCESS);
  expect_same(c.values(), {0.5, 1, 1.5, 2});
}

TEST_F(Gemm, FactorsOnTheDeviceAreReadWhenTheProductRuns) {
  const HostMatrix a = HostMatrix{5, 6, 5}.fill(7), b = HostMatrix{6, 4, 6}.fill(8), c = HostMatrix{5, 4, 5}.fill(9);
  const DeviceArray on_a(CUDA_R_32F, a.values), on_b(CUDA_R_32F, b.values), on_c(CUDA_R_32F, c.values);
  const DeviceArray alpha(CUDA_R_32F, std::vector<double>{0.5}), beta(CUDA_R_32F, std::vector<double>{-1});
  ASSERT_EQ(cublasSetPointerMode(handle_, CUBLAS_POINTER_MODE_DEVICE), CUBLAS_STATUS_SUCCESS);
  ASSERT_EQ(cublasSgemm(handle_, CUBLAS_OP_N, CUBLAS_OP_N, 5, 4, 6, alpha.floats(), on_a.floats(), 5, on_b.floats(), 6,
                        beta.floats(), on_c.floats(), 5),
            CUBLAS_STATUS_SUCCESS);
  expect_same(on_c.values(), expected(a, false, b, false, c, 0.5, -1, CUDA_R_32F));
}

// Computes three products in one call, where each has its own first matrix and all share the second.
TEST_F(Gemm, Batches) {
  constexpr int kM = 9, kN = 5, kK = 11, kBatch = 3;
  std::vector<HostMatrix> a, c;
  std::vector<double> all_a, all_c, wanted;
  const HostMatrix b = HostMatrix{kK, kN, kK + 1}.fill(20);
  for (int i = 0; i < kBatch; ++i) {
    a.push_back(HostMatrix{kK, kM, kK}.fill(static_cast<std::size_t>(100 * i)));
    c.push_back(HostMatrix{kM, kN, kM + 2}.fill(static_cast<std::size_t>(1000 * i)));
    all_a.insert(all_a.end(), a.back().values.begin(), a.back().values.end());
    all_c.insert(all_c.end(), c.back().values.begin(), c.back().values.end());
    const std::vector<double> one = expected(a.back(), true, b, false, c.back(), 2, 1, CUDA_R_32F);
    wanted.insert(wanted.end(), one.begin(), one.end());
  }
  const long long stride_a = kK * kM, stride_c = (kM + 2) * kN;
  const float alpha = 2, beta = 1;
  const DeviceArray on_a(CUDA_R_32F, all_a), on_b(CUDA_R_32F, b.values), on_c(CUDA_R_32F, all_c),
      again(CUDA_R_32F, all_c);
  ASSERT_EQ(cublasSgemmStridedBatched(handle_, CUBLAS_OP_T, CUBLAS_OP_N, kM, kN, kK, &alpha, on_a.floats(), kK,
                                      stride_a, on_b.floats(), b.ld, 0, &beta, on_c.floats(), kM + 2, stride_c, kBatch),
            CUBLAS_STATUS_SUCCESS);
  expect_same(on_c.values(), wanted);
  ASSERT_EQ(cublasGemmStridedBatchedEx(handle_, CUBLAS_OP_T, CUBLAS_OP_N, kM, kN, kK, &alpha, on_a.data(), CUDA_R_32F,
                                       kK, stride_a, on_b.data(), CUDA_R_32F, b.ld, 0, &beta, again.data(), CUDA_R_32F,
                                       kM + 2, stride_c, kBatch, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
            CUBLAS_STATUS_SUCCESS);
  expect_same(again.values(), wanted);
}

}  // namespace
}  // namespace blas
