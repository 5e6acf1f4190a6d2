// SPDX-License-Identifier: Apache-2.0
//
// The part that all attentions share, given the scores e of one query: weights, context, and the gradient of e.
#pragma once

#include <limits>

#include "reference/formulas/scaled.h"

namespace attn::reference {

// The first row of the keys of item b in k and x, and the number of valid keys.
template <class Input>
std::int64_t first_key(const Input& in, std::int64_t b) {
  return in.cu_seqlens.empty() ? b * in.T : in.cu_seqlens[b];
}
template <class Input>
std::int64_t key_count(const Input& in, std::int64_t b) {
  return in.cu_seqlens.empty() ? valid_length(in.lengths, b, in.T) : in.cu_seqlens[b + 1] - in.cu_seqlens[b];
}

// log(sum_j exp(e_j)) over the valid keys; -inf if there are none.
template <class Number>
Number log_sum_exp(const std::vector<Number>& e) {
  if (e.empty()) return Number(-std::numeric_limits<double>::infinity());
  auto largest = plain(e[0]);
  for (const Number& score : e)
    if (plain(score) > largest) largest = plain(score);
  Number total(0);
  for (const Number& score : e) total += exp(score - Number(largest));
  return Number(largest) + log(total);
}

// alpha_j = exp(e_j - lse), written to weights [n], and o [D] = sum_j alpha_j x_j of x [n, D]; o is zero on entry.
template <class Number>
void attend(const std::vector<Number>& e, const Number& lse, const Number* x, std::int64_t D, Number* weights,
            Number* o) {
  for (std::size_t j = 0; j < e.size(); ++j) {
    weights[j] = exp(e[j] - lse);
    for (std::int64_t d = 0; d < D; ++d) o[d] += weights[j] * x[j * D + d];
  }
}

// The gradient of e [n] from d_o [D] and d_weights [n] or null. Adds alpha_j d_o to d_x [n, D].
template <class Number>
std::vector<Number> attend_backward(std::int64_t n, const Number* weights, const Number* x, std::int64_t D,
                                    const Number* d_o, const Number* d_weights, Number* d_x) {
  std::vector<Number> g = zeros<Number>(n);
  Number mean(0);
  for (std::int64_t j = 0; j < n; ++j) {
    if (d_weights != nullptr) g[j] = d_weights[j];
    for (std::int64_t d = 0; d < D; ++d) {
      g[j] += d_o[d] * x[j * D + d];
      d_x[j * D + d] += weights[j] * d_o[d];
    }
    mean += weights[j] * g[j];
  }
  for (std::int64_t j = 0; j < n; ++j) g[j] = weights[j] * (g[j] - mean);
  return g;
}

}  // namespace attn::reference
