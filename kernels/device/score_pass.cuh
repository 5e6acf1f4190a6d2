// SPDX-License-Identifier: Apache-2.0
//
// Several queries per item: the scores of a tile of queries and keys from their encoded rows, by a block of four warps.
#pragma once

#include <math_constants.h>

#include "kernels/device/async_copy.cuh"
#include "kernels/device/score_tile.cuh"
#include "kernels/device/softmax.cuh"
#include "kernels/device/thread_place.cuh"
#include "kernels/device/tile_numbers.cuh"
#include "kernels/device/vec4.cuh"

namespace attn::kernels {

inline constexpr int kTileWarps = 4;
inline constexpr int kTileThreads = kTileWarps * kLanes;
// As many as fit into the shared memory of sm_90, and of sm_80.
#if __CUDA_ARCH__ >= 900
inline constexpr int kTileBlocks = 4;
#else
inline constexpr int kTileBlocks = 3;
#endif

// How a block divides a tile of queries and keys (forward_tile() in tune.h).
template <int kTileRows, int kTileKeys>
struct Tile {
  static constexpr int kRows = kTileRows, kKeys = kTileKeys;
  static constexpr int kSlots = kKeys / kLanes;
  static constexpr int kRowWarps = kRows / kRowsAtOnce;        // warps with different queries
  static constexpr int kColumnWarps = kTileWarps / kRowWarps;  // warps with different columns
  static constexpr int kSoftmaxRows = kRows / kTileWarps;      // queries of a warp, once scores are complete
  // Three blocks of columns: with 128 keys, the two slices and the exponentials then leave room for four thread blocks
  // on sm_90 and two on sm_120. Where warps share out the columns, each has two.
  static constexpr int kSliceBlocks = kColumnWarps == 1 ? 3 : 2 * kColumnWarps;
  static constexpr int kSliceColumns = kSliceBlocks * kBlockColumns;
  using Slice = EncodedSlice<kSliceColumns, kRows, kKeys>;
};

// What the block computes at the moment. In shared memory, so that it occupies no registers in the loops.
struct WorkItem {
  Index item;  // its index in [B, tiles of queries, splits]
  Index split, b;
  Index begin;        // the split's first key, counted within the item
  Index first_value;  // its row of x
  Index keys;         // valid keys of the split
  Index first_row;    // the first query, as a row of [B, Q]
  int queries;
  Arithmetic arithmetic;
  ValueSummary values;
  const float4* q;        // encoded
  const float4* k;        // encoded, of the split's first tile
  const float4* factors;  // c or v
  int tile;               // of the split's keys
  Index done;             // keys of the split before the tile
  int count;              // valid keys of the tile

  __device__ void enter_tile(int index, Index tile_keys) {
    tile = index;
    done = index * tile_keys;
    count = static_cast<int>(min(keys - done, tile_keys));
  }
};

// `params` has Q, T, lengths, cu_seqlens and split; `tiles` are those of the queries of an item.
template <class Tile, class Params>
__device__ WorkItem work_item(const Params& params, const Encoding& encoding, Index item, Index tiles) {
  WorkItem work{};
  work.item = item;
  work.split = item % params.split.count;
  work.b = item / params.split.count / tiles;
  const Index tile = item / params.split.count % tiles;
  work.begin = work.split * params.split.keys;
  const ItemKeys of_item(params, work.b);
  work.first_value = of_item.first + work.begin;
  work.keys = count_keys(work.begin, of_item.valid, params.split.keys);
  work.first_row = work.b * params.Q + tile * Tile::kRows;
  work.queries = static_cast<int>(min(params.Q - tile * Tile::kRows, Index{Tile::kRows}));
  work.enter_tile(0, encoding.k.used);
  if (work.keys == 0) return work;
  work.arithmetic = encoding.arithmetic[work.b];
  work.values = *encoding.values;
  work.q = reinterpret_cast<const float4*>(encoding.q.tile(work.b, tile, encoding.columns));
  work.k = reinterpret_cast<const float4*>(encoding.k.tile(work.b, work.begin / encoding.k.used, encoding.columns));
  work.factors = reinterpret_cast<const float4*>(encoding.factors) +
                 (work.arithmetic == Arithmetic::grouped ? 0 : encoding.columns / kVecWidth);
  return work;
}

__device__ inline void copy_vecs(float4* to, const float4* from, int count) {
#pragma unroll 2
  for (int i = read_thread_index(); i < count; i += kTileThreads) copy_16_bytes(to + i, from + i);
}

// Begins to copy a slice of encoded columns, those from block `first` of `blocks` on, of the tile `tile` of the split.
template <class Tile>
__device__ __forceinline__ void load_slice(const WorkItem& work, int tile, int first, int blocks,
                                           typename Tile::Slice& slice) {
  const int vec = first * (kBlockColumns / kVecWidth);
  const int vecs = min((blocks - first) * kBlockColumns, Tile::kSliceColumns) / kVecWidth;
  const float4* const k = work.k + Index{tile} * blocks * (kBlockColumns / kVecWidth * Tile::kKeys);
  copy_vecs(&slice.q[0][0], work.q + vec * Tile::kRows, vecs * Tile::kRows);
  copy_vecs(&slice.k[0][0], k + vec * Tile::kKeys, vecs * Tile::kKeys);
  copy_vecs(slice.factors, work.factors + vec, vecs);
}

// The warp's complete scores, where the warps have shared out the columns.
template <class Tile, class Stage>
__device__ __forceinline__ void add_warps(ThreadPlace place, const float (&sums)[kRowsAtOnce][Tile::kSlots],
                                          Stage& stage, float (&e)[Tile::kSoftmaxRows][Tile::kSlots]) {
  __syncthreads();
#pragma unroll
  for (int i = 0; i < kRowsAtOnce; ++i)
#pragma unroll
    for (int slot = 0; slot < Tile::kSlots; ++slot)
      stage.sums[place.warp][i][place.lane + slot * kLanes] = sums[i][slot];
  __syncthreads();
#pragma unroll
  for (int i = 0; i < Tile::kSoftmaxRows; ++i)
#pragma unroll
    for (int slot = 0; slot < Tile::kSlots; ++slot) {
      e[i][slot] = 0;
#pragma unroll
      for (int warp = 0; warp < kTileWarps; ++warp)
        e[i][slot] += stage.sums[warp][place.warp * Tile::kSoftmaxRows + i][place.lane + slot * kLanes];
    }
}

// Turns the warp's sums over the columns into scores; those of missing keys are -inf.
template <class Tile>
__device__ __forceinline__ void finish_scores(const WorkItem& work, int lane,
                                              float (&e)[Tile::kSoftmaxRows][Tile::kSlots]) {
#pragma unroll
  for (int i = 0; i < Tile::kSoftmaxRows; ++i)
#pragma unroll
    for (int slot = 0; slot < Tile::kSlots; ++slot)
      e[i][slot] =
          lane + slot * kLanes < work.count ? score_of(work.arithmetic, e[i][slot], work.values) : -CUDART_INF_F;
}

// The warp's scores for the tile: those of query kSoftmaxRows * warp + i with key 32 * slot + lane, -inf where there is no
// key. While a slice is read, the next one arrives; prefetch() is called when the last one is read, and may fill the
// other stage. The first slice must be on its way into stages[*stage].
template <class Tile, class Stage, class Prefetch>
__device__ __forceinline__ void compute_scores(const WorkItem& work, int blocks, Stage (&stages)[2], int* stage,
                                               const Prefetch& prefetch, float (&e)[Tile::kSoftmaxRows][Tile::kSlots]) {
  float sums[kRowsAtOnce][Tile::kSlots] = {};
#pragma unroll 1
  for (int first = 0; first < blocks && work.count > 0; first += Tile::kSliceBlocks) {
    wait_for_copies();
    __syncthreads();
    const int ready = *stage;
    *stage ^= 1;
    if (first + Tile::kSliceBlocks < blocks)
      load_slice<Tile>(work, work.tile, first + Tile::kSliceBlocks, blocks, stages[*stage].rows);
    else
      prefetch();
    const ThreadPlace place = read_thread_place();
    add_slice<Tile::kColumnWarps>(work.arithmetic, stages[ready].rows, place.warp % Tile::kRowWarps * kRowsAtOnce,
                                  place.lane, place.warp / Tile::kRowWarps, min(blocks - first, Tile::kSliceBlocks),
                                  sums);
  }
  const ThreadPlace place = read_thread_place();
  if constexpr (Tile::kColumnWarps > 1) {
    add_warps<Tile>(place, sums, stages[*stage ^ 1], e);
  } else {
#pragma unroll
    for (int i = 0; i < kRowsAtOnce; ++i)
#pragma unroll
      for (int slot = 0; slot < Tile::kSlots; ++slot) e[i][slot] = sums[i][slot];
  }
  finish_scores<Tile>(work, place.lane, e);
}

// Publishes numbers of the warp's queries, scores or exponentials.
template <class Tile>
__device__ __forceinline__ void share(ThreadPlace place, const float (&e)[Tile::kSoftmaxRows][Tile::kSlots],
                                      TileNumbers<Tile::kRows, Tile::kKeys>& shared) {
#pragma unroll
  for (int i = 0; i < Tile::kSoftmaxRows; ++i)
#pragma unroll
    for (int slot = 0; slot < Tile::kSlots; ++slot)
      shared.at(place.warp * Tile::kSoftmaxRows + i, place.lane + slot * kLanes) = e[i][slot];
  __syncwarp();
}

// Copies what the warp has shared to the first `keys` columns of its rows of `target`, which have T elements; from
// the tile's last key on, zeros. Each row is multiplied by its factor.
template <class Tile, class Element>
__device__ void store_rows(const WorkItem& work, const TileNumbers<Tile::kRows, Tile::kKeys>& shared,
                           const float* factors, Index keys, Index T, Element* target) {
  const ThreadPlace place = read_thread_place();
  const int end = min(work.queries, (place.warp + 1) * Tile::kSoftmaxRows);
#pragma unroll 1
  for (int query = place.warp * Tile::kSoftmaxRows; query < end; ++query) {
    const float factor = factors == nullptr ? 1.0f : factors[query];
    Element* const row = target + (work.first_row + query) * T;
#pragma unroll 1
    for (int key = place.lane; key < keys; key += kLanes)
      store(key < work.count ? shared.at(query, key) * factor : 0.0f, row + key);
  }
}

}  // namespace attn::kernels
