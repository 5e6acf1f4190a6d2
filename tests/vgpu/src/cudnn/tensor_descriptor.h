// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cudnn/registered.h"

struct cudnnTensorStruct {
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  std::vector<int> extents, strides;

  bool is_packed() const;
};

namespace vgpu::cudnn {

inline cudnnTensorStruct& at(cudnnTensorDescriptor_t descriptor) {
  return Registered<cudnnTensorStruct>::at(descriptor, "tensor descriptor");
}

// Describes a packed tensor with these extents.
cudnnTensorStruct packed_tensor(cudnnDataType_t type, std::vector<int> extents);

}  // namespace vgpu::cudnn
