// SPDX-License-Identifier: Apache-2.0
#include "cublas/types.h"

#include <cstring>
#include <string>

#include "cublas/element.h"

namespace vgpu::cublas {

void require_fp32(cublasComputeType_t type) {
  switch (type) {
    case CUBLAS_COMPUTE_32F:
    case CUBLAS_COMPUTE_32F_PEDANTIC:
    case CUBLAS_COMPUTE_32F_FAST_16F:
    case CUBLAS_COMPUTE_32F_FAST_16BF:
    case CUBLAS_COMPUTE_32F_FAST_TF32:
      return;
    case CUBLAS_COMPUTE_16F:
    case CUBLAS_COMPUTE_16F_PEDANTIC:
    case CUBLAS_COMPUTE_32F_EMULATED_16BFX9:
    case CUBLAS_COMPUTE_64F:
    case CUBLAS_COMPUTE_64F_PEDANTIC:
    case CUBLAS_COMPUTE_64F_EMULATED_FIXEDPOINT:
    case CUBLAS_COMPUTE_32I:
    case CUBLAS_COMPUTE_32I_PEDANTIC:
      refuse("compute type " + std::to_string(type));
    default:
      fail(CUBLAS_STATUS_INVALID_VALUE);
  }
}

void require_types(cudaDataType a, cudaDataType b, cudaDataType c, cudaDataType d) {
  for (const cudaDataType type : {a, b, c, d})
    if (!is_modelled(type)) refuse("a matrix of type " + std::to_string(type));
  require(a == b && c == d && (c == a || c == CUDA_R_32F), CUBLAS_STATUS_NOT_SUPPORTED);
}

void require_workspace(const void* workspace, std::size_t bytes) {
  constexpr std::size_t kAlignment = 256;
  require(reinterpret_cast<std::uintptr_t>(workspace) % kAlignment == 0);
  require(workspace != nullptr || bytes == 0);
}

Scalar scalar_of(const void* pointer, bool on_device) {
  require(pointer != nullptr);
  if (on_device) return {0, pointer};
  float value;
  std::memcpy(&value, pointer, sizeof value);
  return {value, nullptr};
}

void require_aligned(const void* pointer, cudaDataType type) {
  require(reinterpret_cast<std::uintptr_t>(pointer) % size_of(type) == 0);
}

void require_pointers(const Product& product) {
  if (product.d.rows == 0 || product.d.columns == 0 || product.batch == 0) return;
  require(product.d.data != nullptr);
  if (product.k > 0) require(product.a.data != nullptr && product.b.data != nullptr);
  if (product.beta.device != nullptr || product.beta.value != 0) require(product.c.data != nullptr);
  for (const Matrix* matrix : {&product.a, &product.b, &product.c, &product.d})
    require_aligned(matrix->data, matrix->type);
}

}  // namespace vgpu::cublas
