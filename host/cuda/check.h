// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include "base/failure.h"

namespace attn::internal::cuda {

inline void check(cudaError_t error, const char* call) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // clears the error, which would otherwise be reported again by a later call
  throw Failure(error == cudaErrorMemoryAllocation ? ATTN_OUT_OF_MEMORY : ATTN_CUDA_ERROR,
                std::string(call) + ": " + cudaGetErrorString(error));
}

}  // namespace attn::internal::cuda
