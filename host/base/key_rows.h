// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace attn::internal {

// The number of valid positions of item b; `lengths` [B], or null where all T positions are valid.
inline std::int64_t valid_length(const std::int32_t* lengths, std::int64_t b, std::int64_t T) {
  return lengths == nullptr ? T : lengths[b];
}

// Which rows of k and x belong to an item: T rows each, of which those at or beyond the item's length are padding, or
// packed rows of variable length.
struct KeyRows {
  std::int64_t T;
  const std::int32_t* lengths;     // [B] or null
  const std::int32_t* cu_seqlens;  // [B + 1] or null

  // The first row of item b. For b = B it is the number of rows of all items.
  std::int64_t first(std::int64_t b) const { return cu_seqlens == nullptr ? b * T : cu_seqlens[b]; }
  std::int64_t valid(std::int64_t b) const {
    return cu_seqlens == nullptr ? valid_length(lengths, b, T) : cu_seqlens[b + 1] - cu_seqlens[b];
  }
  // The number of rows of item b, padding included.
  std::int64_t stored(std::int64_t b) const { return cu_seqlens == nullptr ? T : valid(b); }
};

}  // namespace attn::internal
