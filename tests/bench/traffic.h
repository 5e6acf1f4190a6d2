// SPDX-License-Identifier: Apache-2.0
//
// The bytes that each call moves through global memory, counting an element once for every block that needs it: what
// the headers of the kernels state, as functions of the shape. They hold for calls with every output and all lengths
// equal to T. The functions ..._tensors() give the lower bound of any implementation: each input and each output once.
#pragma once

#include "kernels/tune.h"

namespace attn::bench {

using kernels::AdditiveBackwardPlan;
using kernels::divide_up;
using kernels::Index;
using kernels::kSliceKeys;
using kernels::kWarpColumns;
using kernels::Layout;
using kernels::Split;
using kernels::split_single;

struct Shape {
  Index B, Q, T, A, D;  // pooling: Q = 1, A = 0
  Index size = 4;       // bytes of a stored element
};

inline Index additive_forward_tensors(const Shape& s, bool weights) {
  const Index inputs = s.B * (s.Q * s.A + s.T * (s.A + s.D)) + s.A;
  return s.size * (inputs + s.B * s.Q * (s.D + (weights ? s.T : 0))) + 4 * s.B * s.Q;
}

inline Index additive_backward_tensors(const Shape& s, bool given, bool d_weights) {
  const Index inputs_and_gradients = 2 * (s.B * (s.Q * s.A + s.T * (s.A + s.D)) + s.A);
  const Index of_pairs = s.B * s.Q * s.T * ((given ? 1 : 0) + (d_weights ? 1 : 0));
  return s.size * (inputs_and_gradients + of_pairs + s.B * s.Q * s.D) + (given ? 0 : 4 * s.B * s.Q);
}

inline Index pooling_forward_tensors(const Shape& s, bool weights) {
  return s.size * (s.B * (s.T * s.D + s.D + (weights ? s.T : 0)) + s.D + s.T);
}

inline Index pooling_backward_tensors(const Shape& s, bool d_weights) {
  return s.size * (s.B * (2 * s.T * s.D + s.D + (d_weights ? s.T : 0)) + 2 * (s.D + s.T));
}

inline Index row_sums_bytes(Index rows, Index width, Index groups, Index size) {
  const bool in_two_steps = groups == 1 && rows > kernels::kDirectRows;
  return 4 * rows * width + (in_two_steps ? 8 * kernels::kPartialSums * width : 0) + size * groups * width;
}

// The outputs of a forward pass. Where a block sees a whole row, it stores them directly. Otherwise they pass through
// partial contexts, which every further tile of keys reads and writes once more, through scores, and through softmax
// states, which every slice of the merged row reads.
inline Index output_bytes(const Shape& s, const Split& split, bool whole, Index tiles_of_keys, bool lse, bool weights) {
  const Index rows = s.B * s.Q, partials = rows * split.count, again = rows * (tiles_of_keys - split.count);
  const Index results = s.size * rows * s.D + (lse ? 4 * rows : 0) + (weights ? s.size * rows * s.T : 0);
  if (whole) return results;
  const Index of_context = divide_up(s.D, kWarpColumns),
              slices = std::max(of_context, weights ? divide_up(s.T, kSliceKeys) : 0);
  const Index states = partials * (8 + 8 * slices + 4 * of_context);
  return results + states + 8 * (partials + again) * s.D + (weights ? 8 * rows * s.T : 0);
}

// Tiles of at most `keys` keys in all splits. A split without keys counts as one tile.
inline Index tiles_in(const Split& split, Index T, Index keys) {
  const Index last = T - (split.count - 1) * split.keys;
  return (split.count - 1) * divide_up(split.keys, keys) + std::max<Index>(1, divide_up(last, keys));
}

inline Index query_tiles(Index Q) {
  return divide_up(Q, Q <= kernels::kFewQueries ? kernels::kFewQueries : kernels::kTileQueries);
}

// Encoded elements of a side of an item, in whole tiles.
inline Index encoded_elements(Index tiles, Index tile_rows, Index columns) { return tiles * tile_rows * columns; }

// Several queries: the ranges and the encoding of q, k and v.
inline Index encoding_bytes(const Shape& s, const kernels::EncodingPlan& plan) {
  constexpr Index kThreadRows = 8, kBlockRows = 64, kBlockColumns = 128;
  const Index encoded = encoded_elements(plan.query_tiles, plan.tile_queries, plan.columns) +
                        encoded_elements(plan.key_tiles, plan.tile_keys, plan.columns);
  const Index blocks = (divide_up(plan.query_tiles * plan.tile_queries, kBlockRows) +
                        divide_up(plan.key_tiles * plan.tile_keys, kBlockRows)) *
                       divide_up(plan.columns, kBlockColumns);
  const Index summary = s.size * 2 * s.A + 8 * plan.columns;
  const Index ranges = s.size * (s.Q + s.T) * s.A + 8 * plan.range_parts * (1 + blocks);
  return summary + s.B * (ranges + s.size * (s.Q + s.T) * s.A + 4 * encoded + 6 * encoded / kThreadRows);
}

inline Index additive_forward_bytes(const Shape& s, bool weights) {
  const Split split = kernels::split_forward(s.Q, s.T, s.A, s.D);
  const bool whole = kernels::is_whole(s.Q, s.T, split);
  if (s.Q == 1) {
    const Index inputs = s.B * (s.T * (s.A + s.D) + split.count * 2 * s.A);
    return s.size * inputs + output_bytes(s, split, whole, split.count, true, weights);
  }
  Layout layout;
  const kernels::EncodingPlan plan = kernels::plan_encoding(split, s.B, s.Q, s.T, s.A, &layout);
  const Index tiles = s.B * plan.query_tiles, rows = plan.tile_queries + plan.tile_keys + 1;
  const Index scores = 4 * tiles * plan.key_tiles * rows * plan.columns, values = s.size * tiles * s.T * s.D;
  return encoding_bytes(s, plan) + scores + values + output_bytes(s, split, whole, plan.key_tiles, true, weights);
}

// `given`: whether the weights are given; `d_weights`: whether their gradients are.
inline Index additive_backward_bytes(const Shape& s, bool given, bool d_weights) {
  const AdditiveBackwardPlan plan = kernels::plan_additive_backward(s.B, s.Q, s.T, s.A, s.D);
  const Index pairs = s.B * s.Q * s.T, splits = plan.split.count, gradient_splits = plan.gradient_split.count;
  const Index tiles = s.Q == 1 ? 1 : query_tiles(s.Q), keep = given && s.size == 4 ? 0 : 4;

  Index scores = s.B * (tiles * s.T * s.D + splits * s.Q * s.D);
  if (!given && s.Q == 1) scores += s.B * (s.T * s.A + splits * 2 * s.A);
  Index bytes = s.size * scores + pairs * ((given ? s.size : 0) + (d_weights ? s.size : 0) + keep + 4);
  bytes += row_sums_bytes(s.B * s.Q * gradient_splits, s.A, s.B * s.Q, s.size) +
           row_sums_bytes(s.B * gradient_splits, s.A, 1, s.size);

  // The partial means m of all splits of a row, which every block of the second kernel reads.
  const Index readers = s.Q == 1 ? splits : divide_up(s.T, kSliceKeys);
  bytes += 4 * s.B * s.Q * splits * (1 + readers) + (given || s.Q > 1 ? 0 : 4 * s.B * s.Q * splits);

  if (s.Q == 1) {  // one kernel computes dk, dx and the partial sums of dq and dv
    bytes += s.size * s.B * (2 * s.T * s.A + s.T * s.D + splits * (2 * s.A + s.D));
    return bytes + 8 * pairs + 8 * s.B * splits * s.A;
  }
  if (!given) {  // the weights, from encoded rows; a warp reads the LSE of its queries four times or more
    const Index query_tiles_of_weights = s.B * plan.encoding.query_tiles, rows = plan.encoding.tile_queries;
    bytes += encoding_bytes(s, plan.encoding) + 4 * pairs +
             4 * query_tiles_of_weights * plan.encoding.key_tiles *
                 ((rows + plan.encoding.tile_keys + 1) * plan.encoding.columns + 4 * 32);
  }
  bytes += 12 * pairs;                                                                    // dE
  bytes += s.size * s.B * (divide_up(s.T, kernels::kValueKeys) * s.Q * s.D + s.T * s.D);  // dx
  bytes += 4 * pairs * divide_up(s.D, kWarpColumns);                                      // the alpha that dx needs
  const Index steps = tiles_in(plan.gradient_split, s.T, kernels::kStepKeys);
  bytes +=
      s.size * s.B * (2 * s.T * s.A + steps * s.Q * s.A) + 4 * pairs * divide_up(s.A, kernels::kStepColumns);  // dk
  return bytes + 4 * s.B * s.Q * s.A * (2 * steps - gradient_splits) +
         4 * s.B * gradient_splits * s.A;  // partial sums of dq and dv
}

// Holds for rows that fit into the kernels' tiles in shared memory.
inline Index pooling_forward_bytes(const Shape& s, bool weights) {
  const Split split = split_single(s.T, s.D);
  const Index inputs = s.B * (s.T * s.D + s.T + split.count * s.D);
  return s.size * inputs + output_bytes(s, split, kernels::is_whole(1, s.T, split), split.count, false, weights);
}

inline Index pooling_backward_bytes(const Shape& s, bool d_weights) {
  const Index of_item = split_single(s.T, s.D).count, splits = s.B * of_item, positions = s.B * s.T;
  Index bytes = s.size * (positions * (s.D + 1 + (d_weights ? 1 : 0)) + 2 * splits * s.D) + 8 * positions;  // sums
  bytes += 8 * splits * s.D + 8 * splits * (1 + of_item);
  bytes += s.size * (positions * s.D + 2 * splits * s.D) + 12 * positions + 12 * splits * s.D;  // dx, s, dw
  return bytes + row_sums_bytes(splits, s.D, 1, s.size) + row_sums_bytes(s.B, s.T, 1, s.size);
}

}  // namespace attn::bench
