// SPDX-License-Identifier: Apache-2.0
//
// The codes in words: CUDA's, so that programs print what they print on a GPU.
#pragma once

#include "cudart/cuda_api.h"

namespace vgpu::cudart {

struct Words {
  cudaError_t code;
  const char* name;
  const char* text;
};

// Of what is no code of CUDA too.
const Words& words_of(cudaError_t code);

}  // namespace vgpu::cudart
