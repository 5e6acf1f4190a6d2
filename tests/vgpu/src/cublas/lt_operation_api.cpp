// SPDX-License-Identifier: Apache-2.0
//
// Descriptors of matrix products.
#include "cublas/lt_attributes.h"

namespace vgpu::cublas {
namespace {

Operation operation_of(cublasComputeType_t compute, cudaDataType scale_type) {
  Operation operation;
  operation.compute = compute;
  operation.scale_type = scale_type;
  return operation;
}

}  // namespace

template <class F>
static void visit(Operation& operation, cublasLtMatmulDescAttributes_t attribute, F f) {
  const auto with = [&](auto& value) { f(&value, sizeof value); };
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_COMPUTE_TYPE:
      return with(operation.compute);
    case CUBLASLT_MATMUL_DESC_SCALE_TYPE:
      return with(operation.scale_type);
    case CUBLASLT_MATMUL_DESC_POINTER_MODE:
      return with(operation.pointer_mode);
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return with(operation.operation_a);
    case CUBLASLT_MATMUL_DESC_TRANSB:
      return with(operation.operation_b);
    case CUBLASLT_MATMUL_DESC_TRANSC:
      return with(operation.operation_c);
    case CUBLASLT_MATMUL_DESC_FILL_MODE:
      return with(operation.fill);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      return with(operation.epilogue);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      return with(operation.bias);
    case CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE:
      return with(operation.bias_stride);
    case CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE:
      return with(operation.bias_type);
    default:
      break;
  }
  for (std::size_t i = 0; i < std::size(kOtherAttributes); ++i)
    if (kOtherAttributes[i].number == attribute) return f(&operation.others[i], kOtherAttributes[i].size);
  fail(CUBLAS_STATUS_INVALID_VALUE);
}

}  // namespace vgpu::cublas

using namespace vgpu::cublas;

cublasStatus_t cublasLtMatmulDescInit_internal(cublasLtMatmulDesc_t operation, std::size_t size,
                                               cublasComputeType_t compute, cudaDataType scale_type) {
  return initialise(operation, size, operation_of(compute, scale_type));
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* operation, cublasComputeType_t compute,
                                        cudaDataType scale_type) {
  return create(operation, operation_of(compute, scale_type));
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t operation) { return destroy(operation); }

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t attribute,
                                              const void* buffer, std::size_t size) {
  // The library returns a different status if the size of this attribute is too large.
  const bool is_odd = attribute == CUBLASLT_MATMUL_DESC_SCALE_TYPE && size > sizeof(cudaDataType);
  if (is_odd && operation != nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  return set_attribute<Operation>(operation, attribute, buffer, size);
}

cublasStatus_t cublasLtMatmulDescGetAttribute(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t attribute,
                                              void* buffer, std::size_t size, std::size_t* written) {
  return get_attribute<Operation>(operation, attribute, buffer, size, written);
}
