// SPDX-License-Identifier: Apache-2.0
#include "reference/formulas/lstm.h"

namespace attn::reference {

Sum lstm_forward(const LstmInput& input) { return to_sum(forward(numbers<Scaled>(input))); }

LstmGradient lstm_backward(const LstmInput& input, const std::vector<double>& d_y) {
  const auto d = backward(numbers<Scaled>(input), numbers<Scaled>(d_y));
  return {to_sum(d.x), to_sum(d.kernel), to_sum(d.recurrent), to_sum(d.bias)};
}

}  // namespace attn::reference
