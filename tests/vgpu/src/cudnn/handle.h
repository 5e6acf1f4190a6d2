// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cudnn/registered.h"

struct cudnnContext {
  int device = 0;  // the current device when the handle was created
  cudaStream_t stream = nullptr;
};

namespace vgpu::cudnn {

inline cudnnContext& at(cudnnHandle_t handle) { return Registered<cudnnContext>::at(handle, "handle"); }

}  // namespace vgpu::cudnn
