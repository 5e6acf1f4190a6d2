// SPDX-License-Identifier: Apache-2.0
//
// The layout of an LSTM's weights in cuDNN's weight space. It equals that of the real library, which can be queried
// without a GPU (tests/cudnn/calls/weights.cpp). The meaning of the gates is taken from the manual: i, f, c~ and o,
// first for the input, then for the recurrent matrices.
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

// Offsets in elements. A pseudo-layer is a direction of a layer. Ids below kGates are the gates' input matrices, the
// next kGates ids their recurrent matrices. The matrices of each kind are contiguous, so the offset of the first is
// that of all.
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
