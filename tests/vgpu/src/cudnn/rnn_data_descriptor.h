// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "cudnn/registered.h"
#include "cudnn/sequences.h"

struct cudnnRNNDataStruct {
  bool set = false;
  cudnnDataType_t type{};
  cudnnRNNDataLayout_t layout{};
  int longest = 0, batch = 0, width = 0;
  std::vector<int> lengths;
  std::vector<std::byte> fill;  // one element; if empty, the contents of padding are undefined

  vgpu::cudnn::Sequences sequences() const;
};

namespace vgpu::cudnn {

// Fails if the descriptor has not been set.
const cudnnRNNDataStruct& at(cudnnRNNDataDescriptor_t descriptor);

}  // namespace vgpu::cudnn
