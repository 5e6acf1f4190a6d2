// SPDX-License-Identifier: Apache-2.0
//
// The state of a cuBLAS handle.
#pragma once

#include <cstddef>

#include "cublas/handles.h"

struct cublasContext {
  int device = 0;
  cudaStream_t stream = nullptr;
  void* own_workspace = nullptr;  // allocated with the handle
  void* workspace = nullptr;      // set by the program; if null, own_workspace is used
  std::size_t workspace_bytes = 0;
  cublasMath_t math = CUBLAS_DEFAULT_MATH;
  cublasPointerMode_t pointers = CUBLAS_POINTER_MODE_HOST;
  cublasAtomicsMode_t atomics = CUBLAS_ATOMICS_NOT_ALLOWED;
};

namespace vgpu::cublas {

using Context = cublasContext;

inline Context& context_of(cublasHandle_t handle) { return handles<Context>().at(handle); }

}  // namespace vgpu::cublas
