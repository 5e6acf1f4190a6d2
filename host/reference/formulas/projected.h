// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "reference/formulas/additive.h"

namespace attn::reference {

template <class Number>
struct Projected {
  std::int64_t B, Q, T, A, D, H;
  bool shared_query;
  std::vector<Number> x;              // [B, T, D]
  std::vector<Number> h;              // [B, Q, H], or [Q, H] if shared
  std::vector<Number> w_q;            // [A, H]
  std::vector<Number> w_k;            // [A, D]
  std::vector<Number> b;              // [A]; empty: no bias
  std::vector<Number> v;              // [A]
  std::vector<std::int32_t> lengths;  // [B]; empty: every length is T
};

template <class Number>
struct ProjectedGradients {
  std::vector<Number> x, h, w_q, w_k, b, v;  // as in Projected
};

// Adds the product of w [A, width] and in [width] to out [A].
template <class Number>
void project(std::int64_t A, std::int64_t width, const Number* w, const Number* in, Number* out) {
  for (std::int64_t a = 0; a < A; ++a)
    for (std::int64_t c = 0; c < width; ++c) out[a] += w[a * width + c] * in[c];
}

// Adds the gradients that follow from d_out [A] to d_in [width] and d_w [A, width].
template <class Number>
void project_backward(std::int64_t A, std::int64_t width, const Number* w, const Number* in, const Number* d_out,
                      Number* d_in, Number* d_w) {
  for (std::int64_t a = 0; a < A; ++a)
    for (std::int64_t c = 0; c < width; ++c) {
      d_in[c] += w[a * width + c] * d_out[a];
      d_w[a * width + c] += in[c] * d_out[a];
    }
}

// The offset in h of the query of row = (b, i).
template <class Number>
std::int64_t query_offset(const Projected<Number>& in, std::int64_t row) {
  return (in.shared_query ? row % in.Q : row) * in.H;
}

// The additive attention of the projected queries and keys; keys in padding stay zero.
template <class Number>
Additive<Number> project_all(const Projected<Number>& in) {
  Additive<Number> out{
      in.B, in.Q, in.T,      in.A, in.D, zeros<Number>(in.B * in.Q * in.A), zeros<Number>(in.B * in.T * in.A),
      in.v, in.x, in.lengths};
  for (std::int64_t row = 0; row < in.B * in.Q; ++row)
    project(in.A, in.H, in.w_q.data(), in.h.data() + query_offset(in, row), out.q.data() + row * in.A);
  for (std::int64_t b = 0; b < in.B; ++b)
    for (std::int64_t row = b * in.T; row < b * in.T + valid_length(in.lengths, b, in.T); ++row) {
      std::copy(in.b.begin(), in.b.end(), out.k.begin() + row * in.A);
      project(in.A, in.D, in.w_k.data(), in.x.data() + row * in.D, out.k.data() + row * in.A);
    }
  return out;
}

template <class Number>
AdditiveResult<Number> forward(const Projected<Number>& in) {
  return forward(project_all(in));
}

// d_o [B, Q, D]; d_weights [B, Q, T] or empty; weights [B, Q, T], or empty if they are to be recomputed.
template <class Number>
ProjectedGradients<Number> backward(const Projected<Number>& in, const std::vector<Number>& d_o,
                                    const std::vector<Number>& d_weights, const std::vector<Number>& weights = {}) {
  const AdditiveGradients<Number> inner = backward(project_all(in), d_o, d_weights, weights);
  ProjectedGradients<Number> d{inner.x,
                               zeros<Number>((in.shared_query ? in.Q : in.B * in.Q) * in.H),
                               zeros<Number>(in.A * in.H),
                               zeros<Number>(in.A * in.D),
                               zeros<Number>(in.A),
                               inner.v};
  for (std::int64_t row = 0; row < in.B * in.Q; ++row)
    project_backward(in.A, in.H, in.w_q.data(), in.h.data() + query_offset(in, row), inner.q.data() + row * in.A,
                     d.h.data() + query_offset(in, row), d.w_q.data());
  for (std::int64_t b = 0; b < in.B; ++b)
    for (std::int64_t row = b * in.T; row < b * in.T + valid_length(in.lengths, b, in.T); ++row) {
      project_backward(in.A, in.D, in.w_k.data(), in.x.data() + row * in.D, inner.k.data() + row * in.A,
                       d.x.data() + row * in.D, d.w_k.data());
      for (std::int64_t a = 0; a < in.A; ++a) d.b[a] += inner.k[row * in.A + a];
    }
  return d;
}

template <class Number>
Projected<Number> numbers(const ProjectedInput& in) {
  return {in.B,
          in.Q,
          in.T,
          in.A,
          in.D,
          in.H,
          in.shared_query,
          numbers<Number>(in.x),
          numbers<Number>(in.h),
          numbers<Number>(in.w_q),
          numbers<Number>(in.w_k),
          numbers<Number>(in.b),
          numbers<Number>(in.v),
          in.lengths};
}

}  // namespace attn::reference
