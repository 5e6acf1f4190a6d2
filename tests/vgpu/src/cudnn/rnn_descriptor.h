// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cudnn/registered.h"
#include "cudnn/storage.h"
#include "cudnn/weight_layout.h"

struct cudnnRNNStruct {
  bool set = false;
  cudnnRNNAlgo_t algo{};
  cudnnRNNMode_t cell{};
  cudnnRNNBiasMode_t bias{};
  cudnnDirectionMode_t direction{};
  cudnnRNNInputMode_t input{};
  cudnnDataType_t type{}, precision{};
  cudnnMathType_t math{};
  int input_size = 0, hidden_size = 0, projection_size = 0, layers = 0;
  cudnnDropoutDescriptor_t dropout = nullptr;
  std::uint32_t flags = 0;

  vgpu::cudnn::LstmShape shape() const;
  bool padded_io() const { return (flags & CUDNN_RNN_PADDED_IO_ENABLED) != 0; }
};

namespace vgpu::cudnn {

// Fails if the descriptor has not been set.
const cudnnRNNStruct& at(cudnnRNNDescriptor_t descriptor);

// Returns the storage type. Fails for types that RNN descriptors do not allow.
Storage storage_of(cudnnDataType_t type);

}  // namespace vgpu::cudnn
