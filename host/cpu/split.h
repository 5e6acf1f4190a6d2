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
inline constexpr std::int64_t kLeastChunkKeys = 256;  // shorter chunks would spend most of their time on merging
inline constexpr std::int64_t kMostChunks = 64;
inline constexpr std::int64_t kGroupKeys = 4;  // keys whose gradients are computed together
inline constexpr std::int64_t kColumns = 16;   // minimum columns of d_q, d_k and d_v per task: a cache line

// Blocks of queries times chunks of keys; a task of the first phase computes one of each. With few queries there are
// more chunks, so that a single item can use several threads; with many there is one, so that partial results stay
// small.
struct Split {
  struct Range {
    std::int64_t begin, end;
  };

  std::int64_t blocks, chunks, chunk_keys;

  Split(std::int64_t Q, std::int64_t T) {
    blocks = divide_up(Q, kBlockQueries);
    const std::int64_t wanted = blocks == 0 ? 1 : divide_up(kMostChunks, blocks);
    chunk_keys = std::max(kLeastChunkKeys, divide_up(divide_up(T, wanted), kTileKeys) * kTileKeys);
    chunks = std::max<std::int64_t>(1, divide_up(T, chunk_keys));
  }

  // The keys of a chunk among the first `count`. The range is empty if begin >= end.
  Range keys_of(std::int64_t chunk, std::int64_t count) const {
    return {chunk * chunk_keys, std::min((chunk + 1) * chunk_keys, count)};
  }
};

// The online softmax of one query over the keys so far: their maximum score and the sum of exp(score - maximum).
struct Running {
  float max = -std::numeric_limits<float>::infinity();
  float sum = 0;
};

}  // namespace attn::internal::cpu
