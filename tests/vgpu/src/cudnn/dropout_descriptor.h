// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "cudnn/living.h"

struct cudnnDropoutStruct {
  float dropout = 0;
  void* states = nullptr;  // a DropoutState, in the device's memory
  unsigned long long seed = 0;
};

namespace vgpu::cudnn {

inline cudnnDropoutStruct& at(cudnnDropoutDescriptor_t descriptor) {
  return Living<cudnnDropoutStruct>::at(descriptor, "dropout descriptor");
}

}  // namespace vgpu::cudnn
