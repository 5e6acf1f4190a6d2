// SPDX-License-Identifier: Apache-2.0
#include "cudnn/weight_layout.h"

namespace vgpu::cudnn {

std::size_t WeightLayout::columns(std::size_t pseudo_layer, int id) const {
  return id < kGates ? shape_.layer_input(pseudo_layer / shape_.directions) : shape_.hidden;
}

std::size_t WeightLayout::matrices_of(std::size_t pseudo_layer) const {
  return shape_.gates() * (columns(pseudo_layer, 0) + shape_.hidden);
}

std::size_t WeightLayout::matrix(std::size_t pseudo_layer, int id) const {
  std::size_t offset = 0;
  for (std::size_t before = 0; before < pseudo_layer; ++before) offset += matrices_of(before);
  for (int before = 0; before < id; ++before) offset += shape_.hidden * columns(pseudo_layer, before);
  return offset;
}

std::optional<std::size_t> WeightLayout::bias(std::size_t pseudo_layer, int id) const {
  const bool recurrent = id >= kGates;
  if (!(recurrent ? shape_.recurrent_bias : shape_.input_bias)) return std::nullopt;
  const auto gate = static_cast<std::size_t>(id % kGates);
  const std::size_t before = recurrent && shape_.input_bias ? shape_.gates() : 0;
  return biases() + pseudo_layer * bias_size() + before + gate * shape_.hidden;
}

}  // namespace vgpu::cudnn
