// SPDX-License-Identifier: Apache-2.0
//
// LSTM of one layer. The formula, the order of the gates and the shapes are in encoder.h.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/sum.h"

namespace attn::reference {

struct LstmInput {
  std::int64_t B, T, E, H, directions;
  std::vector<double> x;              // [B, T, E]
  std::vector<double> kernel;         // [directions, E, 4H]
  std::vector<double> recurrent;      // [directions, H, 4H]
  std::vector<double> bias;           // [directions, 4H]
  std::vector<std::int32_t> lengths;  // [B]; empty: every length is T
};

struct LstmGradient {
  Sum x, kernel, recurrent, bias;
};

Sum lstm_forward(const LstmInput& input);  // [B, T, directions H]
LstmGradient lstm_backward(const LstmInput& input, const std::vector<double>& d_y);

}  // namespace attn::reference
