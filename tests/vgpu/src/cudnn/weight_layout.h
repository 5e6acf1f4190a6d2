// SPDX-License-Identifier: Apache-2.0
//
// Where the weights of an LSTM stand in cuDNN's weight space. Compared with the real library, which says so without a GPU
// (calls/weights.cpp), but for what the gates mean, which is the manual's: i, f, c~ and o, first for the input, then for the
// recurrent matrices.
#pragma once

#include <cstddef>
#include <optional>

namespace vgpu::cudnn {

constexpr int kGates = 4;

struct LstmShape {
  std::size_t input = 0, hidden = 0;
  std::size_t layers = 0, directions = 0;
  bool input_bias = false, recurrent_bias = false;

  std::size_t pseudo_layers() const { return layers * directions; }
  std::size_t layer_input(std::size_t layer) const { return layer == 0 ? input : output(); }
  std::size_t output() const { return hidden * directions; }
  std::size_t gates() const { return kGates * hidden; }
};

// Offsets in elements. A pseudo-layer is a direction of a layer; an id below kGates is a gate's part for the input, one of the
// next kGates its part for the recurrence. The gates of a kind lie behind each other, so the first stands for all.
class WeightLayout {
 public:
  explicit WeightLayout(const LstmShape& shape) : shape_(shape) {}

  std::size_t columns(std::size_t pseudo_layer, int id) const;
  std::size_t matrix(std::size_t pseudo_layer, int id) const;
  std::optional<std::size_t> bias(std::size_t pseudo_layer, int id) const;
  std::size_t size() const { return biases() + shape_.pseudo_layers() * bias_size(); }

 private:
  std::size_t matrices_of(std::size_t pseudo_layer) const;
  std::size_t biases() const { return matrix(shape_.pseudo_layers(), 0); }
  std::size_t bias_size() const {
    return (std::size_t{shape_.input_bias} + std::size_t{shape_.recurrent_bias}) * shape_.gates();
  }

  LstmShape shape_;
};

}  // namespace vgpu::cudnn
