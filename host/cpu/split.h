// SPDX-License-Identifier: Apache-2.0
//
// How the work on one item of the batch is cut. Nothing here may depend on the batch or on the threads: it decides in
// which order sums are made, and the same item shall give the same bits in any batch on any machine of one kind.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace attn::cpu {

inline constexpr std::int64_t kTileKeys = 64;         // keys between two looks at the running maximum
inline constexpr std::int64_t kBlockQueries = 8;      // queries that go over a tile of keys while it is in the cache
inline constexpr std::int64_t kLeastChunkKeys = 256;  // shorter chunks would be mostly merging
inline constexpr std::int64_t kMostChunks = 64;
inline constexpr std::int64_t kGroupKeys = 4;  // keys whose gradients are made side by side
inline constexpr std::int64_t kColumns = 16;   // of d_q, d_k and d_v go together to a task: a cache line

inline std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

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

// Valid positions of item b; `lengths` [B] or null.
inline std::int64_t valid_keys(const std::int32_t* lengths, std::int64_t b, std::int64_t T) {
  return lengths == nullptr ? T : lengths[b];
}

// Where the keys of an item are among the rows of k and x, and how many it has: T for each, with padding behind the
// lengths, or packed.
struct Keys {
  std::int64_t T;
  const std::int32_t* lengths;     // [B] or null
  const std::int32_t* cu_seqlens;  // [B + 1] or null

  // The first row of item b; of item B: how many rows there are.
  std::int64_t first(std::int64_t b) const { return cu_seqlens == nullptr ? b * T : cu_seqlens[b]; }
  std::int64_t valid(std::int64_t b) const {
    return cu_seqlens == nullptr ? valid_keys(lengths, b, T) : cu_seqlens[b + 1] - cu_seqlens[b];
  }
  // The valid ones and padding.
  std::int64_t stored(std::int64_t b) const { return cu_seqlens == nullptr ? T : valid(b); }
};

}  // namespace attn::cpu
