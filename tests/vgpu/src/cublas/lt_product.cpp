// SPDX-License-Identifier: Apache-2.0
#include "cublas/lt_product.h"

#include <algorithm>
#include <string>
#include <utility>

#include "cublas/types.h"

namespace vgpu::cublas {
namespace {

void refuse_others(const Operation& operation) {
  for (std::size_t i = 0; i < std::size(kOtherAttributes); ++i)
    if (operation.others[i] != kOtherAttributes[i].fresh)
      refuse("attribute " + std::to_string(kOtherAttributes[i].number) + " of a product");
  if (operation.fill != CUBLAS_FILL_MODE_FULL) refuse("a product of which only a triangle is stored");
  if (operation.operation_c != CUBLAS_OP_N) refuse("a product with C transposed");
}

Matrix matrix_of(const Layout& layout) {
  if (layout.batch_mode != CUBLASLT_BATCH_MODE_STRIDED) refuse("a batch of pointers");
  if (layout.plane != 0) refuse("a complex matrix");
  require(layout.order >= CUBLASLT_ORDER_COL && layout.order <= CUBLASLT_ORDER_COL32_2R_4R4);
  if (layout.order > CUBLASLT_ORDER_ROW) refuse("memory order " + std::to_string(layout.order));
  Matrix matrix;
  matrix.type = static_cast<cudaDataType>(layout.type);
  matrix.rows = static_cast<std::int64_t>(layout.rows);
  matrix.columns = static_cast<std::int64_t>(layout.columns);
  matrix.ld = layout.ld;
  matrix.row_major = layout.order == CUBLASLT_ORDER_ROW;
  matrix.stride = layout.stride;
  require(matrix.rows > 0 && matrix.columns > 0 && layout.batch > 0);
  require(matrix.ld >= matrix.line_length());
  return matrix;
}

Epilogue epilogue_of(std::uint32_t value) {
  switch (value) {
    case CUBLASLT_EPILOGUE_DEFAULT:
      return Epilogue::kNone;
    case CUBLASLT_EPILOGUE_BIAS:
      return Epilogue::kBias;
    case CUBLASLT_EPILOGUE_BGRADA:
      return Epilogue::kGradientA;
    case CUBLASLT_EPILOGUE_BGRADB:
      return Epilogue::kGradientB;
    case CUBLASLT_EPILOGUE_RELU:
    case CUBLASLT_EPILOGUE_RELU_AUX:
    case CUBLASLT_EPILOGUE_RELU_BIAS:
    case CUBLASLT_EPILOGUE_RELU_AUX_BIAS:
    case CUBLASLT_EPILOGUE_DRELU:
    case CUBLASLT_EPILOGUE_DRELU_BGRAD:
    case CUBLASLT_EPILOGUE_GELU:
    case CUBLASLT_EPILOGUE_GELU_AUX:
    case CUBLASLT_EPILOGUE_GELU_BIAS:
    case CUBLASLT_EPILOGUE_GELU_AUX_BIAS:
    case CUBLASLT_EPILOGUE_DGELU:
    case CUBLASLT_EPILOGUE_DGELU_BGRAD:
      refuse("epilogue " + std::to_string(value));
    default:
      fail(CUBLAS_STATUS_INVALID_VALUE);
  }
}

void check_shapes(const Product& product) {
  const auto [m, inner_a] =
      product.transpose_a ? std::pair(product.a.columns, product.a.rows) : std::pair(product.a.rows, product.a.columns);
  const auto [inner_b, n] =
      product.transpose_b ? std::pair(product.b.columns, product.b.rows) : std::pair(product.b.rows, product.b.columns);
  require(inner_a == inner_b);
  for (const Matrix* matrix : {&product.c, &product.d}) require(matrix->rows == m && matrix->columns == n);
}

}  // namespace

Product described(const Operation& operation, const std::array<const Layout*, 4>& layouts) {
  require_fp32(static_cast<cublasComputeType_t>(operation.compute));
  require(operation.scale_type == CUDA_R_32F, CUBLAS_STATUS_NOT_SUPPORTED);
  refuse_others(operation);
  require(operation.pointer_mode >= CUBLASLT_POINTER_MODE_HOST &&
          operation.pointer_mode <= CUBLASLT_POINTER_MODE_ALPHA_DEVICE_VECTOR_BETA_HOST);
  if (operation.pointer_mode > CUBLASLT_POINTER_MODE_DEVICE) refuse("a vector of factors");
  Product product;
  product.name = "cublasLtMatmul";
  product.transpose_a = is_transposed(operation.operation_a);
  product.transpose_b = is_transposed(operation.operation_b);
  product.a = matrix_of(*layouts[0]);
  product.b = matrix_of(*layouts[1]);
  product.c = matrix_of(*layouts[2]);
  product.d = matrix_of(*layouts[3]);
  check_shapes(product);
  product.k = product.transpose_a ? product.a.rows : product.a.columns;
  product.batch = layouts[3]->batch;
  for (const Layout* layout : layouts) require(layout->batch == product.batch);
  require_types(product.a.type, product.b.type, product.c.type, product.d.type);
  product.tf32 = operation.compute == CUBLAS_COMPUTE_32F_FAST_TF32 && product.a.type == CUDA_R_32F;
  product.epilogue = epilogue_of(operation.epilogue);
  product.bias = operation.bias;
  product.bias_type = operation.bias_type == -1 ? product.d.type : static_cast<cudaDataType>(operation.bias_type);
  product.bias_stride = operation.bias_stride;
  if (product.epilogue != Epilogue::kNone) require(product.bias_type == product.d.type, CUBLAS_STATUS_NOT_SUPPORTED);
  return product;
}

void check_data(const Product& product) {
  require_pointers(product);
  if (product.epilogue != Epilogue::kNone) {
    require(product.bias != nullptr);
    require_aligned(product.bias, product.bias_type);
  }
  if (product.c.data != product.d.data) return;
  require(product.c.ld == product.d.ld && product.c.row_major == product.d.row_major &&
          product.c.stride == product.d.stride);
}

}  // namespace vgpu::cublas
