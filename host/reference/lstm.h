// SPDX-License-Identifier: Apache-2.0
//
// Bidirectional LSTM; formula, gate order and shapes in encoder.h.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/sum.h"

namespace attn::reference {

struct BilstmInput {
  std::int64_t B, T, E, H;
  std::vector<double> x;              // [B, T, E]
  std::vector<double> kernel;         // [2, E, 4H]
  std::vector<double> recurrent;      // [2, H, 4H]
  std::vector<double> bias;           // [2, 4H]
  std::vector<std::int32_t> lengths;  // [B]; empty: every length is T
};

struct BilstmGradient {
  Sum x, kernel, recurrent, bias;
};

Sum bilstm_forward(const BilstmInput& input);  // [B, T, 2H]
BilstmGradient bilstm_backward(const BilstmInput& input, const std::vector<double>& d_y);

}  // namespace attn::reference
