// SPDX-License-Identifier: Apache-2.0
//
// Which types a product may have: what both libraries agree on.
#pragma once

#include "cublas/product.h"
#include "cublas/status.h"

namespace vgpu::cublas {

// A cublasOperation_t, or what a program took for one.
inline bool is_transposed(int operation) {
  require(operation == CUBLAS_OP_N || operation == CUBLAS_OP_T || operation == CUBLAS_OP_C);
  return operation != CUBLAS_OP_N;
}

// Computing in fp32, whatever may become of the factors on the way: here nothing does. Refuses other ways by name, and what
// is none is invalid.
void require_fp32(cublasComputeType_t type);

// A and B of one type; C and D of that, or of fp32.
void require_types(cudaDataType a, cudaDataType b, cudaDataType c, cudaDataType d);

// Aligned as the libraries want it; null has no bytes.
void require_workspace(const void* workspace, std::size_t bytes);

// alpha or beta: what the host has now, or what the device has when the product runs.
Scalar scalar_of(const void* pointer, bool on_device);

// Of a pointer to elements.
void require_aligned(const void* pointer, cudaDataType type);

// Matrices that D does not share bytes with need a pointer if they are read.
void require_pointers(const Product& product);

}  // namespace vgpu::cublas
