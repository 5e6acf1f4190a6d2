// SPDX-License-Identifier: Apache-2.0
//
// How work is divided and how workspaces are laid out: pure functions of the shape, for host code and tests.
//
// The order of sums depends on the shape of a batch item alone, never on the batch size or on the number of
// multiprocessors, so that an item has the same bits in any batch and on any device of one architecture.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "base/layout.h"

namespace attn::kernels {

using Index = std::int64_t;

inline constexpr int kTileQueries = 16;      // queries per block
inline constexpr int kFewQueries = 4;        // queries per block if an item has no more
inline constexpr int kTileKeys = 128;        // keys between two updates of the running maximum
inline constexpr int kLeastSplitKeys = 24;   // shorter splits would spend most of their time on merging
inline constexpr int kMostSplitKeys = 1024;  // of one query, whose scores stay in shared memory
inline constexpr int kWantedBlocks = 256;    // per batch item: nearly twice the multiprocessors of a large GPU
inline constexpr int kStepKeys = 32;         // keys per step of a block of the fused gradient pass
inline constexpr int kStepColumns = 32;      // columns of a block of the fused gradient pass
inline constexpr int kWarpColumns = 128;     // columns that a warp processes at a time, four per lane
inline constexpr int kValueKeys = 16;        // keys per block of the d_x kernel
inline constexpr int kSliceKeys = 1024;      // keys of a row of weights or scores per block
inline constexpr int kDirectRows = 512;      // more rows are summed in two steps
inline constexpr int kPartialSums = 64;      // partial sums of the first step

using internal::divide_up;
using internal::Layout;
using internal::round_up;

// The keys of an item in splits of equal size, of which only the last may be shorter.
struct Split {
  Index keys;   // of a split
  Index count;  // of splits
};

inline Split split_evenly(Index T, Index keys) { return {keys, std::max<Index>(1, divide_up(T, keys))}; }

// One query, or pooling, with `width` elements per position. A short sequence is not split: the launch of the merge
// kernel costs more than the other multiprocessors save.
inline Split split_single(Index T, Index width) {
  constexpr Index kShortKeys = 256, kShortElements = 65536;
  if (T <= std::min(kShortKeys, std::max<Index>(1, kShortElements / width))) return {std::max<Index>(1, T), 1};
  const Index keys = round_up(divide_up(T, kWantedBlocks), 8);
  return split_evenly(T, std::min<Index>(std::max<Index>(keys, kLeastSplitKeys), kMostSplitKeys));
}

// Several queries: blocks of queries times splits of keys. Short sequences are not split either.
inline Split split_multi(Index Q, Index T) {
  constexpr Index kShortKeys = 64;
  if (T <= kShortKeys) return {std::max<Index>(1, T), 1};
  const Index wanted = divide_up(kWantedBlocks, std::max<Index>(1, divide_up(Q, kTileQueries)));
  return split_evenly(T, std::max<Index>(kLeastSplitKeys, round_up(divide_up(T, wanted), 8)));
}

// Several queries, forward: the largest number of queries and keys that a block of four warps processes at a time.
struct ForwardTile {
  int queries, keys;
};

// Large tiles load each encoded row less often. Small ones waste less where there are few rows: all pairs of a tile are
// computed, also those that do not exist.
inline ForwardTile forward_tile(Index Q, Index T) {
  constexpr Index kFew = 24, kSome = 64, kFewKeys = 64;
  if (Q <= kFew) return {8, 32};
  return {32, Q <= kSome || T <= kFewKeys ? 64 : 128};
}

// A split is several whole tiles, or one, which may be incomplete where tiles are small.
inline Split split_multi_forward(Index Q, Index T) {
  const ForwardTile tile = forward_tile(Q, T);
  if (T <= tile.keys) return {std::max<Index>(1, T), 1};
  const Index wanted = divide_up(kWantedBlocks, std::max<Index>(1, divide_up(Q, tile.queries)));
  const Index keys = std::max<Index>(kLeastSplitKeys, round_up(divide_up(T, wanted), 8));
  if (keys < tile.keys && tile.keys == 32) return split_evenly(T, keys);
  return split_evenly(T, std::max<Index>(tile.keys, keys / tile.keys * tile.keys));
}

inline Split split_forward(Index Q, Index T, Index A, Index D) {
  return Q == 1 ? split_single(T, A + D) : split_multi_forward(Q, T);
}

// Whether one block processes all keys of a row at once, so that it needs neither partial results nor a merge kernel.
inline bool is_whole(Index Q, Index T, const Split& split) {
  return split.count == 1 && (Q == 1 || split.keys <= forward_tile(Q, T).keys);
}

// Several queries, backward: a split is one tile of keys.
inline Split split_tiles(Index Q, Index T) {
  return split_evenly(T, std::min<Index>(kTileKeys, split_multi(Q, T).keys));
}

// Keys per block of the fused gradient pass, which writes one partial d_q per split. Splits times slices of columns give
// the wanted number of blocks, so the partial sums of a query have at most 8192 + A elements. Splits are shorter than a
// step only if all columns are one slice.
inline Split split_gradients(Index T, Index A) {
  const Index slices = divide_up(A, kStepColumns), keys = divide_up(T, divide_up(kWantedBlocks, slices));
  if (slices == 1 && keys <= kLeastSplitKeys) return split_evenly(T, kLeastSplitKeys);
  return split_evenly(T, std::max<Index>(kStepKeys, round_up(keys, kStepKeys)));
}

// How queries and keys are encoded (encoding.h), and where.
struct EncodingPlan {
  Index columns;                  // A, rounded up to whole blocks of columns
  Index tile_queries, tile_keys;  // rows of a tile
  Index used_keys;                // keys of a tile: fewer where a split is shorter
  Index query_tiles, key_tiles;   // per item
  Index range_parts;
  Index q;           // [B, query_tiles, columns / 4, tile_queries, 4]
  Index k;           // [B, key_tiles, columns / 4, tile_keys, 4]
  Index factors;     // [2, columns]
  Index values;      // of ValueSummary, three numbers
  Index ranges;      // [B, 2, range_parts]
  Index arithmetic;  // [B]
};

inline EncodingPlan plan_encoding(const Split& split, Index B, Index Q, Index T, Index A, Layout* layout) {
  constexpr Index kColumns = 8, kPartElements = 2048, kMostParts = 128;
  const ForwardTile tile = forward_tile(Q, T);
  EncodingPlan plan{};
  plan.columns = round_up(A, kColumns);
  plan.tile_queries = tile.queries;
  plan.tile_keys = tile.keys;
  plan.used_keys = std::min<Index>(split.keys, tile.keys);
  plan.query_tiles = divide_up(Q, tile.queries);
  plan.key_tiles = divide_up(T, plan.used_keys);
  plan.range_parts = std::min(kMostParts, divide_up(std::max<Index>({1, Q, T}), divide_up(kPartElements, A)));
  // Padding multiplies small sizes, so the product may overflow where that of the caller's tensors does not.
  const auto rows = [&](Index of_item) {
    Index all = 0;
    return __builtin_mul_overflow(B, of_item, &all) ? std::numeric_limits<Index>::max() : all;
  };
  plan.q = layout->add_rows(rows(plan.query_tiles * tile.queries), plan.columns);
  plan.k = layout->add_rows(rows(plan.key_tiles * tile.keys), plan.columns);
  plan.factors = layout->add(2 * plan.columns);
  plan.values = layout->add(3);
  plan.ranges = layout->add(B * 2 * plan.range_parts);
  plan.arithmetic = layout->add(B);
  return plan;
}

struct ForwardPlan {
  Split split;
  bool whole;
  Index states;    // [B, Q, splits] of SoftmaxState
  Index contexts;  // [B, Q, splits, D]
  Index scores;    // [B, Q, T], for 16-bit weights, whose tensor cannot hold scores without losing precision
  Index bytes;
};

inline ForwardPlan plan_forward(const Split& split, Index B, Index Q, Index T, Index D, bool fp32, Layout layout = {}) {
  ForwardPlan plan{};
  plan.split = split;
  plan.whole = is_whole(Q, T, split);
  const Index rows = plan.whole ? 0 : B * Q;
  plan.states = layout.add_rows(rows, 2 * split.count);
  plan.contexts = layout.add_rows(rows * D, split.count);
  plan.scores = layout.add_rows(rows, fp32 ? 0 : T);
  plan.bytes = layout.bytes();
  return plan;
}

struct AdditiveForwardPlan {
  EncodingPlan encoding;  // with one query, all zero
  ForwardPlan common;     // its size includes the encoding
};

inline AdditiveForwardPlan plan_additive_forward(Index B, Index Q, Index T, Index A, Index D, bool fp32) {
  const Split split = split_forward(Q, T, A, D);
  AdditiveForwardPlan plan{};
  Layout layout;
  if (Q > 1 && B > 0 && T > 0) plan.encoding = plan_encoding(split, B, Q, T, A, &layout);
  plan.common = plan_forward(split, B, Q, T, D, fp32, layout);
  return plan;
}

struct AdditiveBackwardPlan {
  EncodingPlan encoding;  // with one query, all zero
  Split forward_split;    // per block of the kernel that recomputes the weights
  Split split;            // per block of the kernel for g
  Split gradient_split;   // per block of the kernel for d_k and partial d_q and d_v
  Index weights;          // [B, Q, T]
  Index d_e;              // [B, Q, T]; holds g until it is overwritten with d_e
  Index means;            // [B, Q, splits]
  Index d_q_partials;     // [B, Q, gradient splits, A]
  Index d_v_partials;     // [B, gradient splits, A]
  Index sums;             // [kPartialSums, A]
  Index bytes;
};

inline AdditiveBackwardPlan plan_additive_backward(Index B, Index Q, Index T, Index A, Index D) {
  AdditiveBackwardPlan plan{};
  plan.split = Q == 1 ? split_single(T, A + D) : split_tiles(Q, T);
  plan.gradient_split = Q == 1 ? plan.split : split_gradients(T, A);
  plan.forward_split = split_forward(Q, T, A, D);
  Layout layout;
  if (Q > 1 && B > 0 && T > 0) plan.encoding = plan_encoding(plan.forward_split, B, Q, T, A, &layout);
  plan.weights = layout.add(B * Q * T);
  plan.d_e = layout.add(B * Q * T);
  plan.means = layout.add_rows(B * Q, plan.split.count);
  plan.d_q_partials = layout.add_rows(B * Q * A, plan.gradient_split.count);
  plan.d_v_partials = layout.add_rows(B * plan.gradient_split.count, A);
  plan.sums = layout.add_rows(kPartialSums, A);
  plan.bytes = layout.bytes();
  return plan;
}

struct PoolingBackwardPlan {
  Split split;
  Index e;         // [B, T]
  Index d_z;       // [B, T], the gradient of x_t . w + b_t; holds that of the weights until then
  Index sums;      // [B, splits, 2]
  Index vectors;   // [B, splits, 2, D]
  Index d_w;       // [B, splits, D]
  Index partials;  // [kPartialSums, max(T, D)]
  Index bytes;
};

inline PoolingBackwardPlan plan_pooling_backward(Index B, Index T, Index D) {
  PoolingBackwardPlan plan{};
  plan.split = split_single(T, D);
  Layout layout;
  plan.e = layout.add(B * T);
  plan.d_z = layout.add(B * T);
  plan.sums = layout.add_rows(B, 2 * plan.split.count);
  plan.vectors = layout.add_rows(B * plan.split.count, 2 * D);
  plan.d_w = layout.add_rows(B * plan.split.count, D);
  plan.partials = layout.add_rows(kPartialSums, std::max(T, D));
  plan.bytes = layout.bytes();
  return plan;
}

}  // namespace attn::kernels
