// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "cudnn/living.h"
#include "cudnn/sequences.h"

struct cudnnRNNDataStruct {
  bool set = false;
  cudnnDataType_t type{};
  cudnnRNNDataLayout_t layout{};
  int longest = 0, batch = 0, width = 0;
  std::vector<int> lengths;
  std::vector<std::byte> fill;  // an element; empty: what padding holds is not defined

  vgpu::cudnn::Sequences sequences() const;
};

namespace vgpu::cudnn {

// One that has been set.
const cudnnRNNDataStruct& at(cudnnRNNDataDescriptor_t descriptor);

}  // namespace vgpu::cudnn
