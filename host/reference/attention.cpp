// SPDX-License-Identifier: Apache-2.0
#include "reference/attention.h"

#include "reference/formulas/additive.h"
#include "reference/formulas/pooling.h"

namespace attn::reference {

AdditiveOutput additive_forward(const AdditiveInput& input) {
  const auto out = forward(numbers<Scaled>(input));
  return {to_sum(out.o), to_sum(out.weights), to_sum(out.lse)};
}

AdditiveGradient additive_backward(const AdditiveInput& input, const std::vector<double>& d_o,
                                   const std::vector<double>& d_weights, const std::vector<double>& weights) {
  const auto d =
      backward(numbers<Scaled>(input), numbers<Scaled>(d_o), numbers<Scaled>(d_weights), numbers<Scaled>(weights));
  return {to_sum(d.q), to_sum(d.k), to_sum(d.v), to_sum(d.x)};
}

PoolingOutput pooling_forward(const PoolingInput& input) {
  const auto out = forward(numbers<Scaled>(input));
  return {to_sum(out.o), to_sum(out.weights)};
}

PoolingGradient pooling_backward(const PoolingInput& input, const std::vector<double>& d_o,
                                 const std::vector<double>& d_weights) {
  const auto d = backward(numbers<Scaled>(input), numbers<Scaled>(d_o), numbers<Scaled>(d_weights));
  return {to_sum(d.x), to_sum(d.w), to_sum(d.b)};
}

}  // namespace attn::reference
