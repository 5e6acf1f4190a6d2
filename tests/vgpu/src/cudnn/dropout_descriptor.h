// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "cudnn/registered.h"

struct cudnnDropoutStruct {
  float dropout = 0;
  void* states = nullptr;  // a DropoutState in device memory
  unsigned long long seed = 0;
};

namespace vgpu::cudnn {

inline cudnnDropoutStruct& at(cudnnDropoutDescriptor_t descriptor) {
  return Registered<cudnnDropoutStruct>::at(descriptor, "dropout descriptor");
}

}  // namespace vgpu::cudnn
