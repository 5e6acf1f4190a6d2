// SPDX-License-Identifier: Apache-2.0
//
// How the work on one item of the batch is cut. Nothing here may depend on the batch or on the threads: it decides in
// which order sums are made, and the same item shall give the same bits in any batch on any machine of one kind.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "base/key_rows.h"
#include "base/layout.h"

namespace attn::internal::cpu {

inline constexpr std::int64_t kTileKeys = 64;         // keys between two looks at the running maximum
inline constexpr std::int64_t kBlockQueries = 8;      // queries that go over a tile of keys while it is in the cache
inline constexpr std::int64_t kLeastChunkKeys = 256;  // shorter chunks would be mostly merging
inline constexpr std::int64_t kMostChunks = 64;
inline constexpr std::int64_t kGroupKeys = 4;  // keys whose gradients are made side by side
inline constexpr std::int64_t kColumns = 16;   // of d_q, d_k and d_v go together to a task: a cache line

// Blocks of queries times chunks of keys: what one task of the first phase computes. Few queries are cut into more
// chunks, so that one item alone keeps the threads busy; many into one, so that partial results stay small.
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

  // The keys of a chunk among the first `count`; begin may be behind end.
  Range keys_of(std::int64_t chunk, std::int64_t count) const {
    return {chunk * chunk_keys, std::min((chunk + 1) * chunk_keys, count)};
  }
};

// One query's softmax over the keys seen so far: their largest score, and the sum of exp(score - largest).
struct Running {
  float max = -std::numeric_limits<float>::infinity();
  float sum = 0;
};

}  // namespace attn::internal::cpu
