// SPDX-License-Identifier: Apache-2.0
//
// How the work on one batch item is divided. Nothing here may depend on the batch or on the thread count: the division
// determines the order of sums, and an item must have the same bits in any batch and for any thread count.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "base/key_rows.h"
#include "base/layout.h"

namespace attn::internal::cpu {

inline constexpr std::int64_t kTileKeys = 64;         // keys between two updates of the running maximum
inline constexpr std::int64_t kBlockQueries = 8;      // queries that use a tile of keys while it is in the cache
inline constexpr std::int64_t kLeastSplitKeys = 256;  // shorter splits would spend most of their time on merging
inline constexpr std::int64_t kMostSplits = 64;
inline constexpr std::int64_t kGroupKeys = 4;  // keys whose gradients are computed together
inline constexpr std::int64_t kColumns = 16;   // minimum columns of d_q, d_k and d_v per task: a cache line

// Blocks of queries times splits of keys; a task of the first phase computes one of each. With few queries there are
// more splits, so that a single item can use several threads; with many there is one, so that partial results stay
// small.
struct Splits {
  struct Range {
    std::int64_t begin, end;
  };

  std::int64_t blocks, count, keys;

  Splits(std::int64_t Q, std::int64_t T) {
    blocks = divide_up(Q, kBlockQueries);
    const std::int64_t wanted = blocks == 0 ? 1 : divide_up(kMostSplits, blocks);
    keys = std::max(kLeastSplitKeys, divide_up(divide_up(T, wanted), kTileKeys) * kTileKeys);
    count = std::max<std::int64_t>(1, divide_up(T, keys));
  }

  // The keys of a split among the first `valid`. The range is empty if begin >= end.
  Range keys_of(std::int64_t split, std::int64_t valid) const {
    return {split * keys, std::min((split + 1) * keys, valid)};
  }
};

// The online softmax of one query over the keys so far: their maximum score and the sum of exp(score - maximum).
struct Running {
  float max = -std::numeric_limits<float>::infinity();
  float sum = 0;
};

}  // namespace attn::internal::cpu
