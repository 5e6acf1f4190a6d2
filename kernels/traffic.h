// SPDX-License-Identifier: Apache-2.0
//
// The bytes that the kernels move through global memory for their tiles, each element once where a block needs it: what
// the kernels' comments say, in numbers, for tests and benchmarks. Of whole calls, with every output and every length
// T. Beside them, in ..._tensors(), what no implementation can do without: each input and each output once.
#pragma once

#include "kernels/tune.h"

namespace attn::kernels {

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
  const bool in_two_steps = groups == 1 && rows > kDirectRows;
  return 4 * rows * width + (in_two_steps ? 8 * kSumParts * width : 0) + size * groups * width;
}

// What comes out of a forward pass: at once where a block sees a whole row, else through partial contexts, each added
// to once more for every tile of keys behind its first, scores, and states, which each slice of the merged row needs.
inline Index output_bytes(const Shape& s, const Split& split, bool whole, Index tiles_of_keys, bool lse, bool weights) {
  const Index rows = s.B * s.Q, parts = rows * split.chunks, again = rows * (tiles_of_keys - split.chunks);
  const Index results = s.size * rows * s.D + (lse ? 4 * rows : 0) + (weights ? s.size * rows * s.T : 0);
  if (whole) return results;
  const Index of_context = divide_up(s.D, kSweep),
              slices = std::max(of_context, weights ? divide_up(s.T, kSliceKeys) : 0);
  const Index states = parts * (8 + 8 * slices + 4 * of_context);
  return results + states + 8 * (parts + again) * s.D + (weights ? 8 * rows * s.T : 0);
}

// Tiles of at most `keys` keys in all chunks; a chunk without keys is one too.
inline Index tiles_in(const Split& split, Index T, Index keys) {
  const Index last = T - (split.chunks - 1) * split.chunk_keys;
  return (split.chunks - 1) * divide_up(split.chunk_keys, keys) + std::max<Index>(1, divide_up(last, keys));
}

inline Index query_tiles(Index Q) { return divide_up(Q, Q <= kFewQueries ? kFewQueries : kTileQueries); }

inline Index additive_forward_bytes(const Shape& s, bool weights) {
  const Split split = split_forward(s.Q, s.T, s.A, s.D);
  const Index tiles = s.Q == 1 ? 1 : query_tiles(s.Q),
              tiles_of_keys = s.Q == 1 ? split.chunks : tiles_in(split, s.T, kTileKeys);
  const Index inputs = s.B * (tiles * s.T * (s.A + s.D) + tiles_of_keys * (s.Q + tiles) * s.A);
  return s.size * inputs + output_bytes(s, split, is_whole(s.Q, split), tiles_of_keys, true, weights);
}

// `given`: the weights are; `d_weights`: their gradients are.
inline Index additive_backward_bytes(const Shape& s, bool given, bool d_weights) {
  const AdditiveBackwardPlan plan = plan_additive_backward(s.B, s.Q, s.T, s.A, s.D);
  const Index pairs = s.B * s.Q * s.T, chunks = plan.split.chunks, spans = plan.spans.chunks;
  const Index tiles = s.Q == 1 ? 1 : query_tiles(s.Q), keep = given && s.size == 4 ? 0 : 4;

  Index scores = s.B * (tiles * s.T * s.D + chunks * s.Q * s.D);
  if (!given) scores += s.B * (tiles * s.T * s.A + chunks * (s.Q + tiles) * s.A);
  Index bytes = s.size * scores + pairs * ((given ? s.size : 0) + (d_weights ? s.size : 0) + keep + 4);
  bytes += row_sums_bytes(s.B * s.Q * spans, s.A, s.B * s.Q, s.size) + row_sums_bytes(s.B * spans, s.A, 1, s.size);

  // The sums of all chunks of a row, for every block behind the first kernel.
  const Index readers = s.Q == 1 ? chunks : divide_up(s.T, kSliceKeys);
  bytes += 4 * s.B * s.Q * chunks * (1 + readers) + (given ? 0 : 4 * s.B * s.Q * chunks);

  if (s.Q == 1) {  // dk, dx and the parts of dq and dv in one kernel
    bytes += s.size * s.B * (2 * s.T * s.A + s.T * s.D + chunks * (2 * s.A + s.D));
    return bytes + 8 * pairs + 8 * s.B * chunks * s.A;
  }
  bytes += 12 * pairs;                                                           // dE
  bytes += s.size * s.B * (divide_up(s.T, kValueKeys) * s.Q * s.D + s.T * s.D);  // dx
  bytes += 4 * pairs * divide_up(s.D, kSweep);                                   // its weights
  const Index steps = tiles_in(plan.spans, s.T, kStepKeys);
  bytes += s.size * s.B * (2 * s.T * s.A + steps * s.Q * s.A) + 4 * pairs * divide_up(s.A, kStepColumns);  // dk
  return bytes + 4 * s.B * s.Q * s.A * (2 * steps - spans) + 4 * s.B * spans * s.A;  // parts of dq and dv
}

// For rows that fit the kernels' tiles in shared memory.
inline Index pooling_forward_bytes(const Shape& s, bool weights) {
  const Split split = split_single(s.T, s.D);
  const Index inputs = s.B * (s.T * s.D + s.T + split.chunks * s.D);
  return s.size * inputs + output_bytes(s, split, is_whole(1, split), split.chunks, false, weights);
}

inline Index pooling_backward_bytes(const Shape& s, bool d_weights) {
  const Index of_item = split_single(s.T, s.D).chunks, chunks = s.B * of_item, positions = s.B * s.T;
  Index bytes = s.size * (positions * (s.D + 1 + (d_weights ? 1 : 0)) + 2 * chunks * s.D) + 8 * positions;  // sums
  bytes += 8 * chunks * s.D + 8 * chunks * (1 + of_item);
  bytes += s.size * (positions * s.D + 2 * chunks * s.D) + 12 * positions + 12 * chunks * s.D;  // dx, s, parts of dw
  return bytes + row_sums_bytes(chunks, s.D, 1, s.size) + row_sums_bytes(s.B, s.T, 1, s.size);
}

}  // namespace attn::kernels
