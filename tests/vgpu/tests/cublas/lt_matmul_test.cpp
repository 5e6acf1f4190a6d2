// SPDX-License-Identifier: Apache-2.0
//
// Compares the matrix products of cuBLASLt with plain loops.
#include "light.h"

namespace blas {
namespace {

class LtMatmul : public Light {};

std::vector<double> expected(const HostMatrix& a, bool transpose_a, const HostMatrix& b, bool transpose_b,
                             const HostMatrix& d, double alpha, cudaDataType type,
                             const std::vector<double>& bias = {}) {
  std::vector<double> all(d.values.size(), kNan);
  for (int row = 0; row < d.rows; ++row)
    for (int column = 0; column < d.columns; ++column)
      all[d.at(row, column)] = rounded(type, alpha * dot(a, transpose_a, b, transpose_b, row, column) +
                                                 (bias.empty() ? 0 : bias[static_cast<std::size_t>(row)]));
  return all;
}

constexpr cudaDataType kTypes[] = {CUDA_R_32F, CUDA_R_16F, CUDA_R_16BF};

TEST_F(LtMatmul, EveryOperationTypeAndOrder) {
  constexpr int kM = 21, kN = 10, kK = 37;
  for (const cudaDataType type : kTypes)
    for (const bool transpose_a : {false, true})
      for (const bool transpose_b : {false, true})
        for (const bool row_major : {false, true}) {
          const auto matrix = [&](int rows, int columns, int pad) {
            return HostMatrix{rows, columns, (row_major ? columns : rows) + pad, row_major};
          };
          const HostMatrix a = matrix(transpose_a ? kK : kM, transpose_a ? kM : kK, 3).fill(1);
          const HostMatrix b = matrix(transpose_b ? kN : kK, transpose_b ? kK : kN, 0).fill(2);
          const HostMatrix d = matrix(kM, kN, 5).fill(3);
          const DeviceArray on_a(type, a.values), on_b(type, b.values), on_d(type, d.values);
          Operation operation;
          operation.set(CUBLASLT_MATMUL_DESC_TRANSA, transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N);
          operation.set(CUBLASLT_MATMUL_DESC_TRANSB, transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N);
          const Layout layout_a(type, a), layout_b(type, b), layout_d(type, d);
          ASSERT_EQ(multiply(operation, 0.5f, on_a, layout_a, on_b, layout_b, 0, on_d, layout_d),
                    CUBLAS_STATUS_SUCCESS);
          expect_same(on_d.values(), expected(a, transpose_a, b, transpose_b, d, 0.5, type));
        }
}

TEST_F(LtMatmul, BiasOfRows) {
  const HostMatrix a = HostMatrix{21, 8, 21}.fill(1), b = HostMatrix{8, 6, 8}.fill(2),
                   d = HostMatrix{21, 6, 22}.fill(3);
  std::vector<double> bias(21);
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = element(70 + i);
  for (const cudaDataType type : kTypes) {
    const DeviceArray on_a(type, a.values), on_b(type, b.values), on_d(type, d.values), on_bias(type, bias);
    Operation operation;
    operation.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    operation.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, on_bias.data());
    operation.set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, type);
    const Layout layout_a(type, a), layout_b(type, b), layout_d(type, d);
    ASSERT_EQ(multiply(operation, 2, on_a, layout_a, on_b, layout_b, 0, on_d, layout_d), CUBLAS_STATUS_SUCCESS);
    expect_same(on_d.values(), expected(a, false, b, false, d, 2, type, bias));
  }
}

// The bias gradient is the sum over k, either of op(A) for each row of D or of op(B) for each column of D.
TEST_F(LtMatmul, GradientsOfABias) {
  const HostMatrix a = HostMatrix{8, 21, 9}.fill(1), b = HostMatrix{6, 8, 6}.fill(2), d = HostMatrix{21, 6, 21}.fill(3);
  std::vector<double> of_a(21, 0), of_b(6, 0);
  for (int k = 0; k < 8; ++k) {
    for (int row = 0; row < 21; ++row) of_a[static_cast<std::size_t>(row)] += a(k, row);
    for (int column = 0; column < 6; ++column) of_b[static_cast<std::size_t>(column)] += b(column, k);
  }
  for (const cudaDataType type : kTypes)
    for (const auto& [epilogue, sums] : {std::pair(CUBLASLT_EPILOGUE_BGRADA, of_a), {CUBLASLT_EPILOGUE_BGRADB, of_b}}) {
      const DeviceArray on_a(type, a.values), on_b(type, b.values), on_d(type, d.values), bias(type, sums.size());
      Operation operation;
      operation.set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
      operation.set(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_T);
      operation.set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue);
      operation.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias.data());
      const Layout layout_a(type, a), layout_b(type, b), layout_d(type, d);
      ASSERT_EQ(multiply(operation, 2, on_a, layout_a, on_b, layout_b, 0, on_d, layout_d), CUBLAS_STATUS_SUCCESS);
      expect_same(on_d.values(), expected(a, true, b, true, d, 2, type));
      std::vector<double> wanted;
      for (const double sum : sums) wanted.push_back(rounded(type, sum));
      expect_same(bias.values(), wanted);
    }
}

// C and D are different matrices, and all products of the batch share B.
TEST_F(LtMatmul, BatchesAndAnotherC) {
  constexpr int kM = 5, kN = 7, kK = 3, kBatch = 4;
  std::vector<double> all_a, all_c, wanted;
  const HostMatrix b = HostMatrix{kK, kN, kK}.fill(50);
  for (int i = 0; i < kBatch; ++i) {
    const HostMatrix a = HostMatrix{kM, kK, kM}.fill(static_cast<std::size_t>(100 * i));
    const HostMatrix c = HostMatrix{kM, kN, kM}.fill(static_cast<std::size_t>(77 * i));
    all_a.insert(all_a.end(), a.values.begin(), a.values.end());
    all_c.insert(all_c.end(), c.values.begin(), c.values.end());
    for (int column = 0; column < kN; ++column)
      for (int row = 0; row < kM; ++row) wanted.push_back(dot(a, false, b, false, row, column) + 0.5 * c(row, column));
  }
  const DeviceArray on_a(CUDA_R_32F, all_a), on_b(CUDA_R_32F, b.values), on_c(CUDA_R_32F, all_c),
      on_d(CUDA_R_32F, all_c.size());
  Layout layout_a(CUDA_R_32F, HostMatrix{kM, kK, kM}), layout_b(CUDA_R_32F, b),
      layout_c(CUDA_R_32F, HostMatrix{kM, kN, kM});
  layout_a.batch(kBatch, kM * kK);
  layout_b.batch(kBatch, 0);
  layout_c.batch(kBatch, kM * kN);
  const float alpha = 1, beta = 0.5f;
  ASSERT_EQ(
      cublasLtMatmul(handle_, Operation(), &alpha, on_a.data(), layout_a, on_b.data(), layout_b, &beta, on_c.data(),
                     layout_c, on_d.data(), layout_c, nullptr, workspace_.data(), Workspace::kBytes, nullptr),
      CUBLAS_STATUS_SUCCESS);
  expect_same(on_d.values(), wanted);
  expect_same(on_c.values(), all_c);
}

TEST_F(LtMatmul, FactorsOnTheDevice) {
  const HostMatrix a = HostMatrix{4, 3, 4}.fill(1), b = HostMatrix{3, 5, 3}.fill(2), d = HostMatrix{4, 5, 4}.fill(3);
  const DeviceArray on_a(CUDA_R_32F, a.values), on_b(CUDA_R_32F, b.values), on_d(CUDA_R_32F, d.values),
      alpha(CUDA_R_32F, std::vector<double>{-2}), beta(CUDA_R_32F, std::vector<double>{0});
  Operation operation;
  operation.set(CUBLASLT_MATMUL_DESC_POINTER_MODE, CUBLASLT_POINTER_MODE_DEVICE);
  const Layout layout_a(CUDA_R_32F, a), layout_b(CUDA_R_32F, b), layout_d(CUDA_R_32F, d);
  ASSERT_EQ(cublasLtMatmul(handle_, operation, alpha.data(), on_a.data(), layout_a, on_b.data(), layout_b, beta.data(),
                           on_d.data(), layout_d, on_d.data(), layout_d, nullptr, workspace_.data(), Workspace::kBytes,
                           nullptr),
            CUBLAS_STATUS_SUCCESS);
  expect_same(on_d.values(), expected(a, false, b, false, d, -2, CUDA_R_32F));
}

TEST_F(LtMatmul, DescriptorsOnTheStack) {
  cublasLtMatmulDescOpaque_t operation;
  cublasLtMatrixLayoutOpaque_t layout;
  cublasLtMatmulPreferenceOpaque_t preference;
  ASSERT_EQ(cublasLtMatmulDescInit(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F), CUBLAS_STATUS_SUCCESS);
  ASSERT_EQ(cublasLtMatrixLayoutInit(&layout, CUDA_R_32F, 1, 1, 1), CUBLAS_STATUS_SUCCESS);
  ASSERT_EQ(cublasLtMatmulPreferenceInit(&preference), CUBLAS_STATUS_SUCCESS);
  cublasLtMatmulHeuristicResult_t result{};
  int count = 0;
  ASSERT_EQ(cublasLtMatmulAlgoGetHeuristic(handle_, &operation, &layout, &layout, &layout, &layout, &preference, 1,
                                           &result, &count),
            CUBLAS_STATUS_SUCCESS);
  ASSERT_EQ(count, 1);
  EXPECT_EQ(result.state, CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(result.workspaceSize, 0u);
  const DeviceArray two(CUDA_R_32F, std::vector<double>{2}), result_of(CUDA_R_32F, 1);
  const float alpha = 1, beta = 0;
  ASSERT_EQ(cublasLtMatmul(handle_, &operation, &alpha, two.data(), &layout, two.data(), &layout, &beta, nullptr,
                           &layout, result_of.data(), &layout, &result.algo, nullptr, 0, nullptr),
            CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(result_of.values()[0], 4);
}

}  // namespace
}  // namespace blas
