// SPDX-License-Identifier: Apache-2.0
//
// Formats of textures. There are none, but what CUDA's headers say of a format in passing is no call that could fail.
#include "cudart/cuda_api.h"

cudaChannelFormatDesc cudaCreateChannelDesc(int x, int y, int z, int w, cudaChannelFormatKind kind) {
  return {x, y, z, w, kind};
}
