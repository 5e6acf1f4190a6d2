// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "reference/attention.h"
#include "reference/formulas/softmax.h"

namespace attn::reference {

template <class Number>
struct Pooling {
  std::int64_t B, T, D;
  std::vector<Number> x;                      // [B, T, D] or packed
  std::vector<Number> w;                      // [D]
  std::vector<Number> b;                      // [T]; empty: no bias
  std::vector<std::int32_t> lengths;          // [B]; empty: every length is T
  std::vector<std::int32_t> cu_seqlens = {};  // [B + 1]; empty: not packed
};

template <class Number>
struct PoolingResult {
  std::vector<Number> o;        // [B, D]
  std::vector<Number> weights;  // [B, T]
};

template <class Number>
struct PoolingGradients {
  std::vector<Number> x, w, b;  // as in Pooling; b is [T] even without a bias
};

// e_t = tanh(x_t . w + b_t) over the valid positions of one item.
template <class Number>
std::vector<Number> pooling_scores(const Pooling<Number>& in, std::int64_t item, std::int64_t n) {
  std::vector<Number> e = zeros<Number>(n);
  for (std::int64_t t = 0; t < n; ++t) {
    Number sum = in.b.empty() ? Number(0) : in.b[t];
    for (std::int64_t d = 0; d < in.D; ++d) sum += in.x[(first_key(in, item) + t) * in.D + d] * in.w[d];
    e[t] = tanh(sum);
  }
  return e;
}

template <class Number>
PoolingResult<Number> forward(const Pooling<Number>& in) {
  PoolingResult<Number> out{zeros<Number>(in.B * in.D), zeros<Number>(in.B * in.T)};
  for (std::int64_t item = 0; item < in.B; ++item) {
    const std::vector<Number> e = pooling_scores(in, item, key_count(in, item));
    attend(e, log_sum_exp(e), in.x.data() + first_key(in, item) * in.D, in.D, out.weights.data() + item * in.T,
           out.o.data() + item * in.D);
  }
  return out;
}

// d_o [B, D]; d_weights [B, T] or empty.
template <class Number>
PoolingGradients<Number> backward(const Pooling<Number>& in, const std::vector<Number>& d_o,
                                  const std::vector<Number>& d_weights) {
  PoolingGradients<Number> grad{zeros<Number>(in.x.size()), zeros<Number>(in.D), zeros<Number>(in.T)};
  const std::vector<Number> weights = forward(in).weights;
  for (std::int64_t item = 0; item < in.B; ++item) {
    const std::int64_t n = key_count(in, item), first = first_key(in, item) * in.D;
    const std::vector<Number> e = pooling_scores(in, item, n);
    const std::vector<Number> d_e =
        attend_backward(n, weights.data() + item * in.T, in.x.data() + first, in.D, d_o.data() + item * in.D,
                        d_weights.empty() ? nullptr : d_weights.data() + item * in.T, grad.x.data() + first);
    for (std::int64_t t = 0; t < n; ++t) {
      const Number d_sum = d_e[t] * (Number(1) - e[t] * e[t]);
      grad.b[t] += d_sum;
      for (std::int64_t d = 0; d < in.D; ++d) {
        grad.w[d] += d_sum * in.x[first + t * in.D + d];
        grad.x[first + t * in.D + d] += d_sum * in.w[d];
      }
    }
  }
  return grad;
}

template <class Number>
Pooling<Number> numbers(const PoolingInput& in) {
  return {in.B,       in.T,         in.D, numbers<Number>(in.x), numbers<Number>(in.w), numbers<Number>(in.b),
          in.lengths, in.cu_seqlens};
}

}  // namespace attn::reference
