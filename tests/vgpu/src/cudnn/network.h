// SPDX-License-Identifier: Apache-2.0
//
// A stack of LSTM layers with one or two directions, in double precision. Independent of cuDNN's calls and storage
// types.
//
// Shapes: x, dx [rows, input], y, dy [rows, output] in padded rows; h and c [pseudo-layers, batch, hidden].
#pragma once

#include <cstddef>
#include <vector>

#include "cudnn/dropout_mask.h"
#include "cudnn/lstm.h"
#include "cudnn/weight_layout.h"

namespace vgpu::cudnn {

class Network {
 public:
  Network(const LstmShape& shape, Sequences sequences);

  // `weights` has the layout of the weight space. With tf32, the factors of every product are rounded to TF32.
  void set_weights(const std::vector<double>& weights, bool tf32 = false);

  // The number of values that forward stores for backward: for each layer the gates and cells by direction, then the
  // outputs.
  std::size_t tape_size() const { return shape_.layers * layer_tape_size(); }
  std::size_t states_size() const { return shape_.pseudo_layers() * sequences_.batch * shape_.hidden; }

  // Replaces the states by those after the last step. The tape must be zero on entry.
  void forward(const double* x, const DropoutMask& mask, std::vector<double>& h, std::vector<double>& c,
               std::vector<double>& tape) const;

  // Replaces the gates on the tape by the derivatives that weight_derivatives needs, and the derivatives with respect
  // to the final states by those with respect to the initial states.
  std::vector<double> backward(std::vector<double> dy, const std::vector<double>& first_c, const DropoutMask& mask,
                               std::vector<double>& dh, std::vector<double>& dc, std::vector<double>& tape) const;

  std::vector<double> weight_derivatives(const double* x, const std::vector<double>& first_h, const DropoutMask& mask,
                                         std::vector<double>& tape) const;

  // The outputs of the last layer on the tape.
  double* y(std::vector<double>& tape) const { return outputs(tape, shape_.layers - 1); }

 private:
  std::size_t gates_size() const { return sequences_.padded_rows() * shape_.gates(); }
  std::size_t cells_size() const { return sequences_.padded_rows() * shape_.hidden; }
  std::size_t outputs_size() const { return sequences_.padded_rows() * shape_.output(); }
  std::size_t layer_tape_size() const { return shape_.directions * (gates_size() + cells_size()) + outputs_size(); }

  double* gates(std::vector<double>& tape, std::size_t pseudo_layer) const;
  double* cells(std::vector<double>& tape, std::size_t pseudo_layer) const;
  double* outputs(std::vector<double>& tape, std::size_t layer) const;

  Direction direction_of(std::size_t pseudo_layer) const;
  Columns columns_of(double* layer_outputs, std::size_t direction) const;
  double* state_of(std::vector<double>& states, std::size_t pseudo_layer) const;
  std::vector<double> passed_on(std::vector<double>& tape, std::size_t layer, const DropoutMask& mask) const;

  // Calls work(direction, pseudo_layer) for each direction of a layer. Two directions run in parallel, since they are
  // independent.
  template <typename Work>
  void each_direction(std::size_t layer, Work&& work) const;

  LstmShape shape_;
  Sequences sequences_;
  WeightLayout layout_;
  std::vector<double> weights_;
  std::vector<CellWeights> cells_;  // by pseudo-layer
};

}  // namespace vgpu::cudnn
