// SPDX-License-Identifier: Apache-2.0
//
// Random inputs for a shape, rounded to fp32 as the backends receive them. Weights are scaled as at the initialisation
// of a model, which keeps sums over a width near 1. Positions at or beyond `lengths` are NaN.
#pragma once

#include <cmath>

#include "reference/attention.h"
#include "reference/lstm.h"
#include "support/guarded_buffer.h"
#include "support/random.h"
#include "support/shapes.h"

namespace attn::test {

// [count] weights for sums over `width` terms.
inline std::vector<double> weights(Random& random, std::int64_t count, std::int64_t width) {
  return widen(random.normal(count, 1 / std::sqrt(static_cast<float>(width))));
}

// [B, T, width], with NaN at or beyond the lengths.
inline std::vector<double> padded(Random& random, std::int64_t B, std::int64_t T, std::int64_t width,
                                  const std::vector<std::int32_t>& lengths) {
  std::vector<float> values = random.normal(B * T * width);
  fill_padding(values, T, width, lengths);
  return widen(values);
}

// valid_rows() concatenates the valid rows of a tensor [B, T, width]; cumulative() gives the offsets of the items in
// the result, [B + 1].
template <class Number>
std::vector<Number> valid_rows(const std::vector<Number>& tensor, std::int64_t T, std::int64_t width,
                               const std::vector<std::int32_t>& lengths) {
  std::vector<Number> rows;
  for (std::size_t b = 0; b < lengths.size(); ++b) {
    const auto item = tensor.begin() + static_cast<std::int64_t>(b) * T * width;
    rows.insert(rows.end(), item, item + lengths[b] * width);
  }
  return rows;
}
inline std::vector<std::int32_t> cumulative(const std::vector<std::int32_t>& lengths) {
  std::vector<std::int32_t> sums{0};
  for (std::int32_t length : lengths) sums.push_back(sums.back() + length);
  return sums;
}

inline reference::AdditiveInput random_input(const AdditiveShape& s, const std::vector<std::int32_t>& lengths,
                                             Random& random) {
  return {s.B,
          s.Q,
          s.T,
          s.A,
          s.D,
          widen(random.normal(s.B * s.Q * s.A)),
          padded(random, s.B, s.T, s.A, lengths),
          weights(random, s.A, s.A),
          padded(random, s.B, s.T, s.D, lengths),
          lengths};
}

inline reference::PoolingInput random_input(const PoolingShape& s, const std::vector<std::int32_t>& lengths,
                                            Random& random) {
  return {
      s.B,    s.T, s.D, padded(random, s.B, s.T, s.D, lengths), weights(random, s.D, s.D), widen(random.normal(s.T)),
      lengths};
}

inline reference::ProjectedInput random_input(const ProjectedShape& s, const std::vector<std::int32_t>& lengths,
                                              Random& random) {
  return {s.B,
          s.Q,
          s.T,
          s.A,
          s.D,
          s.H,
          s.shared_query,
          padded(random, s.B, s.T, s.D, lengths),
          widen(random.normal((s.shared_query ? 1 : s.B) * s.Q * s.H)),
          weights(random, s.A * s.H, s.H),
          weights(random, s.A * s.D, s.D),
          weights(random, s.A, 4),
          weights(random, s.A, s.A),
          lengths};
}

inline reference::LstmInput random_input(const LstmShape& s, const std::vector<std::int32_t>& lengths, Random& random) {
  return {s.B,
          s.T,
          s.E,
          s.H,
          s.directions,
          padded(random, s.B, s.T, s.E, lengths),
          weights(random, s.directions * s.E * 4 * s.H, s.E),
          weights(random, s.directions * s.H * 4 * s.H, s.H),
          weights(random, s.directions * 4 * s.H, 4),
          lengths};
}

}  // namespace attn::test
