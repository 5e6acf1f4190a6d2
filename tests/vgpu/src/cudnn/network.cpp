// SPDX-License-Identifier: Apache-2.0
#include "cudnn/network.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace vgpu::cudnn {

Network::Network(const LstmShape& shape, Sequences sequences)
    : shape_(shape), sequences_(std::move(sequences)), layout_(shape) {}

void Network::set_weights(const std::vector<double>& weights, bool tf32) {
  weights_ = weights;
  cells_.clear();
  for (std::size_t pseudo_layer = 0; pseudo_layer < shape_.pseudo_layers(); ++pseudo_layer) {
    CellWeights cell{layout_.columns(pseudo_layer, 0),
                     shape_.hidden,
                     weights_.data() + layout_.matrix(pseudo_layer, 0),
                     weights_.data() + layout_.matrix(pseudo_layer, kGates),
                     std::vector<double>(shape_.gates()),
                     tf32};
    for (const int first : {0, kGates}) {
      const auto offset = layout_.bias(pseudo_layer, first);
      for (std::size_t i = 0; offset && i < shape_.gates(); ++i) cell.bias[i] += weights_[*offset + i];
    }
    cells_.push_back(std::move(cell));
  }
}

double* Network::gates(std::vector<double>& tape, std::size_t pseudo_layer) const {
  const std::size_t layer = pseudo_layer / shape_.directions, direction = pseudo_layer % shape_.directions;
  return tape.data() + layer * layer_tape_size() + direction * (gates_size() + cells_size());
}

double* Network::cells(std::vector<double>& tape, std::size_t pseudo_layer) const {
  return gates(tape, pseudo_layer) + gates_size();
}

double* Network::outputs(std::vector<double>& tape, std::size_t layer) const {
  return tape.data() + (layer + 1) * layer_tape_size() - outputs_size();
}

Direction Network::direction_of(std::size_t pseudo_layer) const {
  return {sequences_, cells_[pseudo_layer], pseudo_layer % shape_.directions == 1};
}

Columns Network::columns_of(double* layer_outputs, std::size_t direction) const {
  return {layer_outputs + direction * shape_.hidden, shape_.output()};
}

double* Network::state_of(std::vector<double>& states, std::size_t pseudo_layer) const {
  return states.data() + pseudo_layer * sequences_.batch * shape_.hidden;
}

std::vector<double> Network::passed_on(std::vector<double>& tape, std::size_t layer, const DropoutMask& mask) const {
  const double* from = outputs(tape, layer);
  std::vector<double> result(from, from + outputs_size());
  for (std::size_t i = 0; i < result.size(); ++i) result[i] *= mask.factor(layer, i);
  return result;
}

template <typename Work>
void Network::each_direction(std::size_t layer, Work&& work) const {
  const std::size_t first = layer * shape_.directions;
  std::thread other;
  if (shape_.directions == 2) other = std::thread([&] { work(1, first + 1); });
  work(0, first);
  if (other.joinable()) other.join();
}

void Network::forward(const double* x, const DropoutMask& mask, std::vector<double>& h, std::vector<double>& c,
                      std::vector<double>& tape) const {
  std::vector<double> input;
  for (std::size_t layer = 0; layer < shape_.layers; ++layer) {
    if (layer > 0) input = passed_on(tape, layer - 1, mask);
    each_direction(layer, [&](std::size_t direction, std::size_t pseudo_layer) {
      direction_of(pseudo_layer)
          .forward(layer == 0 ? x : input.data(), {state_of(h, pseudo_layer), state_of(c, pseudo_layer)},
                   gates(tape, pseudo_layer), cells(tape, pseudo_layer), columns_of(outputs(tape, layer), direction));
    });
  }
}

std::vector<double> Network::backward(std::vector<double> dy, const std::vector<double>& first_c,
                                      const DropoutMask& mask, std::vector<double>& dh, std::vector<double>& dc,
                                      std::vector<double>& tape) const {
  for (std::size_t layer = shape_.layers; layer-- > 0;) {
    const std::size_t size = sequences_.padded_rows() * shape_.layer_input(layer);
    std::vector<double> parts[2]{std::vector<double>(size), std::vector<double>(shape_.directions == 2 ? size : 0)};
    each_direction(layer, [&](std::size_t direction, std::size_t pseudo_layer) {
      const double* state = first_c.data() + pseudo_layer * sequences_.batch * shape_.hidden;
      direction_of(pseudo_layer)
          .backward(columns_of(dy.data(), direction), state, gates(tape, pseudo_layer), cells(tape, pseudo_layer),
                    {state_of(dh, pseudo_layer), state_of(dc, pseudo_layer)}, parts[direction].data());
    });
    dy = std::move(parts[0]);
    for (std::size_t i = 0; i < parts[1].size(); ++i) dy[i] += parts[1][i];
    for (std::size_t i = 0; layer > 0 && i < size; ++i) dy[i] *= mask.factor(layer - 1, i);
  }
  return dy;
}

std::vector<double> Network::weight_derivatives(const double* x, const std::vector<double>& first_h,
                                                const DropoutMask& mask, std::vector<double>& tape) const {
  std::vector<double> result(layout_.size()), input;
  for (std::size_t layer = 0; layer < shape_.layers; ++layer) {
    if (layer > 0) input = passed_on(tape, layer - 1, mask);
    each_direction(layer, [&](std::size_t direction, std::size_t pseudo_layer) {
      std::vector<double> bias(shape_.gates());
      direction_of(pseudo_layer)
          .add_weight_derivatives(layer == 0 ? x : input.data(),
                                  first_h.data() + pseudo_layer * sequences_.batch * shape_.hidden,
                                  gates(tape, pseudo_layer), columns_of(outputs(tape, layer), direction),
                                  result.data() + layout_.matrix(pseudo_layer, 0),
                                  result.data() + layout_.matrix(pseudo_layer, kGates), bias.data());
      for (const int first : {0, kGates}) {
        const auto offset = layout_.bias(pseudo_layer, first);
        if (offset) std::copy(bias.begin(), bias.end(), result.begin() + static_cast<std::ptrdiff_t>(*offset));
      }
    });
  }
  return result;
}

}  // namespace vgpu::cudnn
