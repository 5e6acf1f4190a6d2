// SPDX-License-Identifier: Apache-2.0
//
// How work is cut and what stands where in a workspace: pure functions of the shape, for host code and tests.
//
// What decides the order of a sum depends on one batch item's shape alone, never on the batch or on how many
// multiprocessors there are: an item gives the same bits in any batch and on any number of them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/layout.h"

namespace attn::kernels {

using Index = std::int64_t;

inline constexpr int kTileQueries = 16;      // of a block with many queries
inline constexpr int kFewQueries = 4;        // of a block where an item has no more
inline constexpr int kTileKeys = 128;        // between two looks at the running maximum
inline constexpr int kLeastSplitKeys = 24;   // shorter splits would mostly merge
inline constexpr int kMostSplitKeys = 1024;  // of one query: their scores stay in shared memory
inline constexpr int kWantedBlocks = 256;    // per batch item: all multiprocessors of a large GPU, nearly twice
inline constexpr int kStepKeys = 32;         // whose gradients a block of the fused gradient pass makes at a time,
inline constexpr int kStepColumns = 32;      // in as many columns
inline constexpr int kWarpColumns = 128;     // columns that a warp has at a time, four a lane
inline constexpr int kValueKeys = 16;        // whose d_x a block makes
inline constexpr int kSliceKeys = 1024;      // of a row of weights or scores that a block finishes
inline constexpr int kDirectRows = 512;      // more rows than that are summed in two steps,
inline constexpr int kPartialSums = 64;      // the first of which leaves this many

using internal::divide_up;
using internal::Layout;
using internal::round_up;

// How the keys of an item are split. All splits have the same size, except that the last may be shorter.
struct Split {
  Index keys;   // of a split
  Index count;  // of splits
};

inline Split split_evenly(Index T, Index keys) { return {keys, std::max<Index>(1, divide_up(T, keys))}; }

// One query, or pooling, with `width` elements per position. A short sequence is not cut: the launch that merges costs
// more than the other multiprocessors save.
inline Split split_single(Index T, Index width) {
  constexpr Index kShortKeys = 256, kShortElements = 65536;
  if (T <= std::min(kShortKeys, std::max<Index>(1, kShortElements / width))) return {std::max<Index>(1, T), 1};
  const Index keys = round_up(divide_up(T, kWantedBlocks), 8);
  return split_evenly(T, std::min<Index>(std::max<Index>(keys, kLeastSplitKeys), kMostSplitKeys));
}

// Several queries: tiles of queries times splits of the keys. A short sequence is not split here either.
inline Split split_multi(Index Q, Index T) {
  constexpr Index kShortKeys = 64;
  if (T <= kShortKeys) return {std::max<Index>(1, T), 1};
  const Index wanted = divide_up(kWantedBlocks, std::max<Index>(1, divide_up(Q, kTileQueries)));
  return split_evenly(T, std::max<Index>(kLeastSplitKeys, round_up(divide_up(T, wanted), 8)));
}

inline Split split_forward(Index Q, Index T, Index A, Index D) {
  return Q == 1 ? split_single(T, A + D) : split_multi(Q, T);
}

// Whether one block sees all keys of a row at once: then it finishes the row, without workspace or second kernel.
inline bool is_whole(Index Q, const Split& split) { return split.count == 1 && (Q == 1 || split.keys <= kTileKeys); }

// Several queries, backward: a split is one tile of keys.
inline Split split_tiles(Index Q, Index T) {
  return split_evenly(T, std::min<Index>(kTileKeys, split_multi(Q, T).keys));
}

// Keys per block of the fused gradient pass, which leaves one partial sum of d_q per split: as many as together with the slices
// of columns make the wanted blocks, so that the partial sums of a query are 8192 + A numbers at most. Shorter than a
// step only where all columns are one slice.
inline Split split_gradients(Index T, Index A) {
  const Index slices = divide_up(A, kStepColumns), keys = divide_up(T, divide_up(kWantedBlocks, slices));
  if (slices == 1 && keys <= kLeastSplitKeys) return split_evenly(T, kLeastSplitKeys);
  return split_evenly(T, std::max<Index>(kStepKeys, round_up(keys, kStepKeys)));
}

struct ForwardPlan {
  Split split;
  bool whole;
  Index states;    // [B, Q, splits] of SoftmaxState
  Index contexts;  // [B, Q, splits, D]
  Index scores;    // [B, Q, T], where the weights cannot hold them: in 16 bits they would lose their precision
  Index bytes;
};

inline ForwardPlan plan_forward(const Split& split, Index B, Index Q, Index T, Index D, bool fp32) {
  ForwardPlan plan{};
  plan.split = split;
  plan.whole = is_whole(Q, split);
  const Index rows = plan.whole ? 0 : B * Q;
  Layout layout;
  plan.states = layout.add_rows(rows, 2 * split.count);
  plan.contexts = layout.add_rows(rows * D, split.count);
  plan.scores = layout.add_rows(rows, fp32 ? 0 : T);
  plan.bytes = layout.bytes();
  return plan;
}

struct AdditiveBackwardPlan {
  Split split;           // over which one block makes weights and g
  Split gradient_split;  // over which one block makes d_k and partial sums of d_q and d_v
  Index weights;         // [B, Q, T]
  Index d_e;             // [B, Q, T]; g before
  Index means;           // [B, Q, splits]
  Index d_q_partials;    // [B, Q, gradient splits, A]
  Index d_v_partials;    // [B, gradient splits, A]
  Index sums;            // [kPartialSums, A]
  Index bytes;
};

inline AdditiveBackwardPlan plan_additive_backward(Index B, Index Q, Index T, Index A, Index D) {
  AdditiveBackwardPlan plan{};
  plan.split = Q == 1 ? split_single(T, A + D) : split_tiles(Q, T);
  plan.gradient_split = Q == 1 ? plan.split : split_gradients(T, A);
  Layout layout;
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
  Index d_z;       // [B, T], gradient of x_t . w + b_t; of the weights before
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
