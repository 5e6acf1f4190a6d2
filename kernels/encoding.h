// SPDX-License-Identifier: Apache-2.0
//
// How the score e_ij = sum_a v_a tanh(q_ia + k_ja) of several queries is computed from encoded queries and keys, so
// that an element needs neither its own exponential nor its own reciprocal. Shared by the CPU and the GPU.
//
// Grouped arithmetic. With E = exp(2 (q + k)) = exp(2q) exp(2k), each factor of which is made once per row,
//
//   v tanh(s) = |v| tau (2 / (1 + E^-(tau sign(v))) - 1)    for either sign tau
//
// The constants leave the sum. With c = 2^-31 max|v| / |v|, at most 1, what remains is 2^-31 max|v| / d with d = c + c E,
// which one saturating FMA of the encoded factors makes: where d would exceed 1, its element no longer matters. So d is
// in [2^-31, 1], four of them can be multiplied without underflow, and four elements share one reciprocal:
//
//   1/d0 + 1/d1 + 1/d2 + 1/d3 = n / p    n, p from n = d0 + d1, p = d0 d1, then n = n d + p, p = p d
//
// tau alternates from one group of four columns to the next, which keeps the sum near the score itself, and with it the
// rounding errors of the sum. Every error is relative to |v|, as that of 1 - 2 / (1 + exp(2s)) is.
//
// Small inputs have small tanh, whose relative accuracy that loses. There, the addition theorem applies to tanh of both
// rows, which are made once:
//
//   tanh(q + k) = (tanh q + tanh k) / (1 + tanh q tanh k)
//
// Anything else, such as two large ranges or infinite v, is computed directly, with a tanh per element.
#pragma once

#include "kernels/host_device.h"
#include "kernels/tune.h"

namespace attn::kernels {

enum class Arithmetic : int { grouped, addition, direct };

inline constexpr int kGroupColumns = 4;                  // elements that share a reciprocal
inline constexpr int kBlockColumns = 2 * kGroupColumns;  // two groups of opposite tau; widths are padded to these
inline constexpr float kLeastDenominator = 0x1p-31f;     // 2^-124 is the product of four: the least normal is 2^-126
inline constexpr float kGroupedScale = 2 * kLeastDenominator;  // of a sum of 1 / d, in units of max |v|

// The largest |x| for which c exp(2x) is always a normal number. The other side may even overflow: exp(2k) is then
// infinite or 0, and d is 1 or c, as it should be.
inline constexpr float kMostFolded = 28;

// Facts about v, made once per call.
struct ValueSummary {
  float max;       // max |v|, or 1 if all are 0
  float constant;  // what the grouped arithmetic leaves out: -sum tau |v|
  float sum;       // sum |v|
};

// The arithmetic of one batch item, from its largest |q| and |k|. NaN does not count: it stays NaN in any encoding.
// Depends on the item alone, never on a tile or on its padding, so that an item has the same bits in any batch.
ATTN_HOST_DEVICE inline Arithmetic choose_arithmetic(float q, float k, const ValueSummary& v) {
  // With the addition theorem, 1 + tanh q tanh k is then at least 0.4.
  constexpr float kMostAdded = 1;
  // Far from overflow and underflow of sum |v| and of its products with the sums of 1/d.
  constexpr float kLeastValue = 0x1p-60f, kMostValues = 0x1p60f;
  if (!(v.max >= kLeastValue && v.sum <= kMostValues)) return Arithmetic::direct;
  if (q <= kMostAdded && k <= kMostAdded) return Arithmetic::addition;
  if (q <= kMostFolded || k <= kMostFolded) return Arithmetic::grouped;
  return Arithmetic::direct;
}

// Whether c is folded into the encoded queries rather than into the keys: the side with the smaller range.
ATTN_HOST_DEVICE inline bool folds_into_queries(float q, float k) { return q <= k; }

}  // namespace attn::kernels
