// SPDX-License-Identifier: Apache-2.0
//
// The type combinations of products, which are the same in both libraries.
#pragma once

#include "cublas/product.h"
#include "cublas/status.h"

namespace vgpu::cublas {

// Converts a cublasOperation_t; fails if the program passed another value.
inline bool is_transposed(int operation) {
  require(operation == CUBLAS_OP_N || operation == CUBLAS_OP_T || operation == CUBLAS_OP_C);
  return operation != CUBLAS_OP_N;
}

// Accepts the compute types that accumulate in fp32, regardless of the precision that they allow for the factors.
// Refuses other compute types by name, and fails for invalid values.
void require_fp32(cublasComputeType_t type);

// Fails unless A and B have the same type, and C and D have that type or fp32.
void require_types(cudaDataType a, cudaDataType b, cudaDataType c, cudaDataType d);

// Fails unless the workspace is aligned as the libraries require. If it is null, its size must be 0.
void require_workspace(const void* workspace, std::size_t bytes);

// Converts alpha or beta: takes the current value in host memory, or the device address that is read when the product
// runs.
Scalar scalar_of(const void* pointer, bool on_device);

// Fails unless a pointer to elements is aligned.
void require_aligned(const void* pointer, cudaDataType type);

// Fails if a matrix that is read has no pointer, unless it shares the memory of D.
void require_pointers(const Product& product);

}  // namespace vgpu::cublas
