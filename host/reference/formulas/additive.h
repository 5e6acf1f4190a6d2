// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "reference/attention.h"
#include "reference/formulas/softmax.h"

namespace attn::reference {

template <class Number>
struct Additive {
  std::int64_t B, Q, T, A, D;
  std::vector<Number> q;                      // [B, Q, A]
  std::vector<Number> k;                      // [B, T, A] or packed
  std::vector<Number> v;                      // [A]
  std::vector<Number> x;                      // [B, T, D] or packed
  std::vector<std::int32_t> lengths;          // [B]; empty: every length is T
  std::vector<std::int32_t> cu_seqlens = {};  // [B + 1]; empty: not packed
};

template <class Number>
struct AdditiveResult {
  std::vector<Number> o;        // [B, Q, D]
  std::vector<Number> weights;  // [B, Q, T]
  std::vector<Number> lse;      // [B, Q]
};

template <class Number>
struct AdditiveGradients {
  std::vector<Number> q, k, v, x;  // as in Additive
};

// t_ja = tanh(q_ia + k_ja) for row = (b, i), [n, A] over the valid keys of item b.
template <class Number>
std::vector<Number> additive_tanh(const Additive<Number>& in, std::int64_t b, std::int64_t row, std::int64_t n) {
  std::vector<Number> t = zeros<Number>(n * in.A);
  for (std::int64_t j = 0; j < n; ++j)
    for (std::int64_t a = 0; a < in.A; ++a)
      t[j * in.A + a] = tanh(in.q[row * in.A + a] + in.k[(first_key(in, b) + j) * in.A + a]);
  return t;
}

template <class Number>
AdditiveResult<Number> forward(const Additive<Number>& in) {
  AdditiveResult<Number> out{zeros<Number>(in.B * in.Q * in.D), zeros<Number>(in.B * in.Q * in.T),
                             zeros<Number>(in.B * in.Q)};
  for (std::int64_t row = 0; row < in.B * in.Q; ++row) {
    const std::int64_t b = row / in.Q, n = key_count(in, b);
    const std::vector<Number> t = additive_tanh(in, b, row, n);
    std::vector<Number> e = zeros<Number>(n);
    for (std::int64_t j = 0; j < n; ++j)
      for (std::int64_t a = 0; a < in.A; ++a) e[j] += in.v[a] * t[j * in.A + a];
    out.lse[row] = log_sum_exp(e);
    attend(e, out.lse[row], in.x.data() + first_key(in, b) * in.D, in.D, out.weights.data() + row * in.T,
           out.o.data() + row * in.D);
  }
  return out;
}

// d_o [B, Q, D]; d_weights [B, Q, T] or empty; weights [B, Q, T] as the forward pass stored them, or empty if they are
// to be recomputed.
template <class Number>
AdditiveGradients<Number> backward(const Additive<Number>& in, const std::vector<Number>& d_o,
                                   const std::vector<Number>& d_weights, std::vector<Number> weights = {}) {
  AdditiveGradients<Number> d{zeros<Number>(in.q.size()), zeros<Number>(in.k.size()), zeros<Number>(in.A),
                              zeros<Number>(in.x.size())};
  if (weights.empty()) weights = forward(in).weights;
  for (std::int64_t row = 0; row < in.B * in.Q; ++row) {
    const std::int64_t b = row / in.Q, n = key_count(in, b), item = first_key(in, b);
    const std::vector<Number> t = additive_tanh(in, b, row, n);
    const std::vector<Number> d_e =
        attend_backward(n, weights.data() + row * in.T, in.x.data() + item * in.D, in.D, d_o.data() + row * in.D,
                        d_weights.empty() ? nullptr : d_weights.data() + row * in.T, d.x.data() + item * in.D);
    for (std::int64_t j = 0; j < n; ++j)
      for (std::int64_t a = 0; a < in.A; ++a) {
        const Number ta = t[j * in.A + a];
        const Number d_sum = d_e[j] * in.v[a] * (Number(1) - ta * ta);
        d.q[row * in.A + a] += d_sum;
        d.k[(item + j) * in.A + a] += d_sum;
        d.v[a] += d_e[j] * ta;
      }
  }
  return d;
}

template <class Number>
Additive<Number> numbers(const AdditiveInput& in) {
  return {in.B,
          in.Q,
          in.T,
          in.A,
          in.D,
          numbers<Number>(in.q),
          numbers<Number>(in.k),
          numbers<Number>(in.v),
          numbers<Number>(in.x),
          in.lengths,
          in.cu_seqlens};
}

}  // namespace attn::reference
