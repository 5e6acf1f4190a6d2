// SPDX-License-Identifier: Apache-2.0
//
// Additive attention, attention pooling and projected additive attention. Formulas and shapes are in attn_cuda.h and
// encoder.h. If `lengths` is empty, every length is T; if `cu_seqlens` is empty, keys are not packed. Padding is never
// read.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/sum.h"

namespace attn::reference {

struct AdditiveInput {
  std::int64_t B, Q, T, A, D;
  std::vector<double> q;                      // [B, Q, A]
  std::vector<double> k;                      // [B, T, A] or packed
  std::vector<double> v;                      // [A]
  std::vector<double> x;                      // [B, T, D] or packed
  std::vector<std::int32_t> lengths;          // [B]
  std::vector<std::int32_t> cu_seqlens = {};  // [B + 1]
};

struct AdditiveOutput {
  Sum o;        // [B, Q, D]
  Sum weights;  // [B, Q, T]
  Sum lse;      // [B, Q]
};

struct AdditiveGradient {
  Sum q, k, v, x;  // as in AdditiveInput
};

AdditiveOutput additive_forward(const AdditiveInput& input);
// d_o [B, Q, D]; d_weights [B, Q, T] or empty; weights [B, Q, T], as the forward pass rounded them to its storage type,
// or empty if they are to be recomputed.
AdditiveGradient additive_backward(const AdditiveInput& input, const std::vector<double>& d_o,
                                   const std::vector<double>& d_weights, const std::vector<double>& weights = {});

struct PoolingInput {
  std::int64_t B, T, D;
  std::vector<double> x;                      // [B, T, D] or packed
  std::vector<double> w;                      // [D]
  std::vector<double> b;                      // [T]
  std::vector<std::int32_t> lengths;          // [B]
  std::vector<std::int32_t> cu_seqlens = {};  // [B + 1]
};

struct PoolingOutput {
  Sum o;        // [B, D]
  Sum weights;  // [B, T]
};

struct PoolingGradient {
  Sum x, w, b;
};

PoolingOutput pooling_forward(const PoolingInput& input);
// d_o [B, D]; d_weights [B, T] or empty.
PoolingGradient pooling_backward(const PoolingInput& input, const std::vector<double>& d_o,
                                 const std::vector<double>& d_weights);

struct ProjectedInput {
  std::int64_t B, Q, T, A, D, H;
  bool shared_query;
  std::vector<double> x;    // [B, T, D]
  std::vector<double> h;    // [B, Q, H], or [Q, H] if shared
  std::vector<double> w_q;  // [A, H]
  std::vector<double> w_k;  // [A, D]
  std::vector<double> b;    // [A]; empty: no bias
  std::vector<double> v;    // [A]
  std::vector<std::int32_t> lengths;
};

struct ProjectedGradient {
  Sum x, h, w_q, w_k, b, v;
};

AdditiveOutput projected_forward(const ProjectedInput& input);
// As additive_backward().
ProjectedGradient projected_backward(const ProjectedInput& input, const std::vector<double>& d_o,
                                     const std::vector<double>& d_weights, const std::vector<double>& weights = {});

}  // namespace attn::reference
