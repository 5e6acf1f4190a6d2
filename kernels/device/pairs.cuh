// SPDX-License-Identifier: Apache-2.0
//
// A dot product for each pair of a query row and a key row of a tile. Both matrices pass through shared memory in slices
// of 32 columns. A thread's register tile is one query with kSlots keys.
#pragma once

#include "kernels/device/reduce.cuh"
#include "kernels/device/vec4.cuh"

namespace attn::kernels {

inline constexpr int kSliceColumns = 32;
inline constexpr int kSliceStride = kSliceColumns + kVecWidth;  // the same vec4 of eight rows covers all banks once
inline constexpr int kSlots = 16;                               // keys of a thread's register tile
inline constexpr int kRowLanes = 8;                             // neighbouring lanes that share a query

static_assert(kSlots * kRowLanes == kTileKeys, "the lanes of a query cover the whole tile of keys");

// A slice of all rows of the tile, in shared memory.
template <int kWarps>
struct Slices {
  static constexpr int kQueries = kWarps * kLanes / kRowLanes;
  float queries[kQueries][kSliceStride];
  float keys[kTileKeys][kSliceStride];
};

// The calling thread's pairs: query_index() with key_index(0) ... key_index(kSlots - 1) of the tile.
__device__ inline int query_index() { return static_cast<int>(threadIdx.x) / kRowLanes; }
__device__ inline int key_index(int slot) { return slot * kRowLanes + static_cast<int>(threadIdx.x) % kRowLanes; }

// Fills rows 0 ... capacity - 1 of a slice with the columns from `column` on; rows from `count` on become zero.
template <int kThreads, class Storage>
__device__ void fill_slice(Rows<const Storage> rows, int count, int capacity, Index column,
                           float (*slice)[kSliceStride]) {
  constexpr int kVecs = kSliceColumns / kVecWidth;
  for (int at = static_cast<int>(threadIdx.x); at < capacity * kVecs; at += kThreads) {
    const int row = at / kVecs, c = at % kVecs * kVecWidth;
    *reinterpret_cast<float4*>(&slice[row][c]) = row < count ? rows.load(row, column + c) : float4{};
  }
}

// sums[slot] for the thread's pairs: zero where the query does not exist, unspecified where the key does not.
template <int kWarps, class Storage>
__device__ void dot_pairs(Rows<const Storage> queries, int query_count, Rows<const Storage> keys, int key_count,
                          Slices<kWarps>& slices, float (&sums)[kSlots]) {
  constexpr int kThreads = kWarps * kLanes;
  const int slots = (key_count + kRowLanes - 1) / kRowLanes;
#pragma unroll
  for (int slot = 0; slot < kSlots; ++slot) sums[slot] = 0;

  for (Index column = 0; column < queries.width; column += kSliceColumns) {
    fill_slice<kThreads>(queries, query_count, Slices<kWarps>::kQueries, column, slices.queries);
    fill_slice<kThreads>(keys, key_count, slots * kRowLanes, column, slices.keys);
    __syncthreads();
#pragma unroll 1
    for (int c = 0; c < kSliceColumns; c += kVecWidth) {
      const float4 q = *reinterpret_cast<const float4*>(&slices.queries[query_index()][c]);
#pragma unroll
      for (int slot = 0; slot < kSlots; ++slot)
        if (slot < slots && query_index() < query_count)
          sums[slot] = dot(q, *reinterpret_cast<const float4*>(&slices.keys[key_index(slot)][c]), sums[slot]);
    }
    __syncthreads();
  }
}

}  // namespace attn::kernels
