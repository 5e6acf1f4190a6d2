// SPDX-License-Identifier: Apache-2.0
//
// The storage types of matrices. Computation uses doubles, which are rounded once when they are stored.
#pragma once

#include <library_types.h>

#include <cstddef>

namespace vgpu::cublas {

// Returns whether the type is CUDA_R_32F, CUDA_R_16F or CUDA_R_16BF.
bool is_modelled(cudaDataType type);
std::size_t size_of(cudaDataType type);

double load(cudaDataType type, const std::byte* from);
void store(cudaDataType type, std::byte* to, double value);

}  // namespace vgpu::cublas
