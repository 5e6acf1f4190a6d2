// SPDX-License-Identifier: Apache-2.0
//
// Copies between the caller's [B, T, width] and the time-major [T, n, width] of one direction, for the n items from
// `first` on. In direction 1 every valid prefix is reversed. Positions without a counterpart become zero.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/key_rows.h"

namespace attn::internal::cpu {

struct Sequences {
  std::int64_t B, T;
  const std::int32_t* lengths;  // [B]; null: every length is T
  std::int64_t length(std::int64_t b) const { return valid_length(lengths, b, T); }
};

// The position in an item that direction `d` processes at time t. The function is its own inverse.
inline std::int64_t position(std::int64_t d, std::int64_t t, std::int64_t length) {
  return d == 0 ? t : length - 1 - t;
}

// Copies the first `width` columns of source [B, T, stride] to copy [T, n, width].
inline void gather(const Sequences& sequences, std::int64_t d, std::int64_t first, std::int64_t n, const float* source,
                   std::int64_t stride, std::int64_t width, float* copy) {
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t b = first + i;
    const std::int64_t length = b < sequences.B ? sequences.length(b) : 0;
    for (std::int64_t t = 0; t < length; ++t)
      std::copy_n(source + (b * sequences.T + position(d, t, length)) * stride, width, copy + (t * n + i) * width);
    for (std::int64_t t = length; t < sequences.T; ++t) std::fill_n(copy + (t * n + i) * width, width, 0.0f);
  }
}

// Copies copy [T, n, width] back to the first `width` columns of target [B, T, stride].
inline void scatter(const Sequences& sequences, std::int64_t d, std::int64_t first, std::int64_t n, const float* copy,
                    std::int64_t stride, std::int64_t width, float* target) {
  for (std::int64_t b = first; b < std::min(first + n, sequences.B); ++b) {
    const std::int64_t length = sequences.length(b);
    for (std::int64_t t = 0; t < length; ++t)
      std::copy_n(copy + (position(d, t, length) * n + b - first) * width, width,
                  target + (b * sequences.T + t) * stride);
    for (std::int64_t t = length; t < sequences.T; ++t)
      std::fill_n(target + (b * sequences.T + t) * stride, width, 0.0f);
  }
}

// Item b of target [B, T, width] = the sum of item i of the copies [T, n, width] of both directions. `reversed` may be
// null.
inline void scatter_sum(const Sequences& sequences, std::int64_t b, std::int64_t i, std::int64_t n,
                        const float* forward, const float* reversed, std::int64_t width, float* target) {
  const std::int64_t length = sequences.length(b);
  float* item = target + b * sequences.T * width;
  for (std::int64_t t = 0; t < length; ++t) {
    const float* left = forward + (t * n + i) * width;
    if (reversed == nullptr) {
      std::copy_n(left, width, item + t * width);
      continue;
    }
    const float* right = reversed + (position(1, t, length) * n + i) * width;
    for (std::int64_t e = 0; e < width; ++e) item[t * width + e] = left[e] + right[e];
  }
  std::fill(item + length * width, item + sequences.T * width, 0.0f);
}

}  // namespace attn::internal::cpu
