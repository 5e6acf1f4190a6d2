// SPDX-License-Identifier: Apache-2.0
//
// The arguments of the kernels: sizes and raw device pointers. Tensors are row-major and contiguous, `Storage` is
// float, __half or __nv_bfloat16, and a pointer needs no alignment beyond that of one element. Keys at or beyond
// lengths[b] are padding: they are never read, and their weights and gradients are zero. With cu_seqlens there is no
// padding: the rows of k, x and their gradients are packed, and those of item b begin at row cu_seqlens[b]. Lengths are
// clamped to 0 ... T.
#pragma once

#include <cstdint>

#include "kernels/encoding.h"
#include "kernels/host_device.h"
#include "kernels/tune.h"

namespace attn::kernels {

// Online softmax of one query over some of its keys: the running maximum and the sum of exp(score - maximum).
struct SoftmaxState {
  float max, sum;
};

// The part of a forward pass that all mechanisms share, from the scores on. With one query per item, Q = 1.
template <class Storage>
struct AttentionForward {
  Index B, Q, T, D;
  const Storage* x;                // [B, T, D] or packed
  const std::int32_t* lengths;     // [B] or null: all T
  const std::int32_t* cu_seqlens;  // [B + 1] or null: not packed
  Storage* o;                      // [B, Q, D]
  Storage* weights;                // [B, Q, T] or null
  float* lse;                      // [B, Q] or null
  Split split;
  // The workspace. All three are null where one block sees a whole row.
  SoftmaxState* states;  // [B, Q, splits]
  float* contexts;       // [B, Q, splits, D], sums of exp(score - maximum) x
  float* scores;         // [B, Q, T] or null: no weights wanted; may be `weights`
};

// Encoded queries or keys (encoding.h), in tiles that are padded to whole blocks of columns and to `tile_rows` rows.
struct EncodedRows {
  float* tiles;  // [B, tiles, columns / 4, tile_rows, 4]
  Index count;   // of tiles per item
  Index tile_rows;
  Index used;  // rows of an item in each of its tiles but the last

  // Tile `index` of item b.
  ATTN_HOST_DEVICE float* tile(Index b, Index index, Index columns) const {
    return tiles + (b * count + index) * columns * tile_rows;
  }
};

// Several queries: what launch_additive_encode() makes of q, k and v, in the workspace.
struct Encoding {
  Index columns;  // A, rounded up to kBlockColumns
  int blocks;     // of so many columns
  EncodedRows q, k;
  float* factors;        // [2, columns], c and v
  ValueSummary* values;  // [1]
  Index range_parts;
  float* ranges;           // [B, 2, range_parts], largest |q| and |k| of each part of an item
  Arithmetic* arithmetic;  // [B]
};

template <class Storage>
struct AdditiveForward {
  AttentionForward<Storage> common;
  Index A;
  const Storage* q;   // [B, Q, A]
  const Storage* k;   // [B, T, A] or packed
  const Storage* v;   // [A]
  Encoding encoding;  // unused with one query
};

// The inputs of an encoding.
template <class Storage>
struct AdditiveEncode {
  Index B, Q, T, A;
  const Storage* q;                // [B, Q, A]
  const Storage* k;                // [B, T, A] or packed
  const Storage* v;                // [A]
  const std::int32_t* lengths;     // [B] or null: all T
  const std::int32_t* cu_seqlens;  // [B + 1] or null: not packed
  Encoding encoding;
};

// Several queries: the weights, recomputed from an encoding.
struct AdditiveWeights {
  Index B, Q, T;
  const std::int32_t* lengths;     // [B] or null: all T
  const std::int32_t* cu_seqlens;  // [B + 1] or null: not packed
  Split split;                     // that of the forward pass
  Encoding encoding;
  const float* lse;  // [B, Q]
  float* alpha;      // [B, Q, T]
};

template <class Storage>
struct PoolingForward {
  AttentionForward<Storage> common;
  const Storage* w;  // [D]
  const Storage* b;  // [T] or null
};

template <class Storage>
struct AdditiveBackward {
  Index B, Q, T, A, D;
  const Storage* q;                // [B, Q, A]
  const Storage* k;                // [B, T, A] or packed
  const Storage* v;                // [A]
  const Storage* x;                // [B, T, D] or packed
  const std::int32_t* lengths;     // [B] or null: all T
  const std::int32_t* cu_seqlens;  // [B + 1] or null: not packed
  const float* lse;                // [B, Q]
  const Storage* weights;          // [B, Q, T] or null: recompute them; with several queries, alpha has them already
  const Storage* d_o;              // [B, Q, D]
  const Storage* d_weights;        // [B, Q, T] or null
  Storage* d_k;                    // as k, or null
  Storage* d_x;                    // as x, or null
  bool wants_scores;               // whether any of d_q, d_k and d_v is wanted
  Split split, gradient_split;     // see AdditiveBackwardPlan
  const float* alpha;              // [B, Q, T], the weights in fp32
  float* kept_alpha;               // [B, Q, T], where alpha has to be stored; null where `weights` serve as alpha
  float* d_e;                      // [B, Q, T]; holds g until dE overwrites it
  float* means;                    // [B, Q, splits], sum_j alpha_ij g_ij over a split
  float* d_q_partials;             // [B, Q, gradient splits, A], or null without d_q
  float* d_v_partials;             // [B, gradient splits, A], or null without d_v
};

template <class Storage>
struct PoolingBackward {
  Index B, T, D;
  const Storage* x;                // [B, T, D] or packed
  const Storage* w;                // [D]
  const Storage* b;                // [T] or null, by position in the item
  const std::int32_t* lengths;     // [B] or null: all T
  const std::int32_t* cu_seqlens;  // [B + 1] or null: not packed
  const Storage* d_o;              // [B, D]
  const Storage* d_weights;        // [B, T] or null
  Storage* d_x;                    // as x, or null
  Split split;
  float* e;        // [B, T]
  float* d_z;      // [B, T], s, the gradient of x_t . w + b_t; holds g until s overwrites it
  float* sums;     // [B, splits, 2], sums of p and of p g, where p = exp(e)
  float* vectors;  // [B, splits, 2, D], sums of p (1 - e^2) g x and of p (1 - e^2) x; null without d_w
  float* d_w;      // [B, splits, D]
};

// Sums groups of consecutive rows; the rows of group g begin at g * per_group.
template <class In, class Out>
struct RowSums {
  const In* rows;  // [count, width]
  Index count, width, groups, per_group;
  Out* out;  // [groups, width]
};

}  // namespace attn::kernels
