// SPDX-License-Identifier: Apache-2.0
#include "reference/formulas/projected.h"

namespace attn::reference {

AdditiveOutput projected_forward(const ProjectedInput& input) {
  const auto out = forward(numbers<Scaled>(input));
  return {to_sum(out.o), to_sum(out.weights), to_sum(out.lse)};
}

ProjectedGradient projected_backward(const ProjectedInput& input, const std::vector<double>& d_o,
                                     const std::vector<double>& d_weights, const std::vector<double>& weights) {
  const auto d =
      backward(numbers<Scaled>(input), numbers<Scaled>(d_o), numbers<Scaled>(d_weights), numbers<Scaled>(weights));
  return {to_sum(d.x), to_sum(d.h), to_sum(d.w_q), to_sum(d.w_k), to_sum(d.b), to_sum(d.v)};
}

}  // namespace attn::reference
