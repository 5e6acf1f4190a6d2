// SPDX-License-Identifier: Apache-2.0
//
// Channel formats. There are no textures, but inline functions of CUDA's headers use these calls, which cannot fail.
#include "cudart/cuda_api.h"

cudaChannelFormatDesc cudaCreateChannelDesc(int x, int y, int z, int w, cudaChannelFormatKind kind) {
  return {x, y, z, w, kind};
}
