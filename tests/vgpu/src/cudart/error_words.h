// SPDX-License-Identifier: Apache-2.0
//
// Names and descriptions of error codes, with the same wording as in CUDA, so that programs print the same as on a GPU.
#pragma once

#include "cudart/cuda_api.h"

namespace vgpu::cudart {

struct Words {
  cudaError_t code;
  const char* name;
  const char* text;
};

// Also returns a text for numbers that are not error codes.
const Words& words_of(cudaError_t code);

}  // namespace vgpu::cudart
