// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cudnn/living.h"

struct cudnnContext {
  int device = 0;  // the current one when the handle was made
  cudaStream_t stream = nullptr;
};

namespace vgpu::cudnn {

inline cudnnContext& at(cudnnHandle_t handle) { return Living<cudnnContext>::at(handle, "handle"); }

}  // namespace vgpu::cudnn
