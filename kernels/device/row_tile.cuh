// SPDX-License-Identifier: Apache-2.0
//
// A tile of rows in shared memory, so that rows that are needed twice are read from global memory once. First a warp
// reduces each row to its score; then every thread adds up its columns over the rows, with coefficients made from the
// scores.
#pragma once

#include <algorithm>

#include "kernels/device/rows.cuh"

namespace attn::kernels {

inline constexpr int kTileElements = 5120;  // 20 KB
inline constexpr int kTileWidth = 2048;     // rows that are wider do not go through shared memory
inline constexpr int kMostTileRows = 64;
inline constexpr int kMostGroups = 32;

inline int tile_stride(Index width) { return static_cast<int>(round_up(width, kVecWidth)); }
inline int tile_rows(Index width) { return std::max(1, std::min(kMostTileRows, kTileElements / tile_stride(width))); }

// The columns of a row that belong to the calling thread. The threads form groups, which take turns over the rows.
// Where a row has more vec4s than there are threads, there is one group, and a thread has up to kThreadVecs of them.
struct Columns {
  static constexpr int kThreadVecs = kTileWidth / kVecWidth / kRowThreads;
  int vecs;    // vec4s of a row
  int groups;  // of threads
  int group;   // of the calling thread
  int first;   // vec4 of the calling thread

  __device__ explicit Columns(int stride) : vecs(stride / kVecWidth) {
    const int thread = static_cast<int>(threadIdx.x);
    groups = max(1, min(kMostGroups, kRowThreads / vecs));
    group = vecs > kRowThreads ? 0 : thread / vecs;
    first = vecs > kRowThreads ? thread : thread - group * vecs;
  }

  __device__ bool has(int n) const { return group < groups && vec(n) < vecs && (n == 0 || vecs > kRowThreads); }
  __device__ int vec(int n) const { return first + n * kRowThreads; }
};

struct RowTile {
  float* memory;  // [rows, stride], zero from the width of the rows on
  int stride;     // the width, rounded up to a multiple of kVecWidth

  __device__ float4* row(int r) const { return reinterpret_cast<float4*>(memory + r * stride); }

  // Copies rows first ... first + count - 1 of x.
  template <class Storage>
  __device__ void fill(const Columns& columns, Rows<const Storage> x, int first, int count) const {
#pragma unroll
    for (int n = 0; n < Columns::kThreadVecs; ++n) {
      if (!columns.has(n)) continue;
      const int v = columns.vec(n);
#pragma unroll 4
      for (int r = columns.group; r < count; r += columns.groups) row(r)[v] = x.load(first + r, v * kVecWidth);
    }
  }

  // The dot product of row r with `other` [stride], computed by one warp and returned to all its lanes.
  __device__ float dot_row(int r, const float4* other) const {
    float sum = 0;
    for (int at = lane_index(); at < stride / kVecWidth; at += kLanes) sum = dot(row(r)[at], other[at], sum);
    return sum_lanes(sum);
  }
};

// kVectors weighted sums of the rows, each thread holding its columns.
template <int kVectors>
struct TileSums {
  float4 sums[kVectors][Columns::kThreadVecs];

  __device__ TileSums() {
#pragma unroll
    for (int v = 0; v < kVectors; ++v)
#pragma unroll
      for (int n = 0; n < Columns::kThreadVecs; ++n) sums[v][n] = float4{};
  }

  // sums[v] += sum_r coefficients[v][r] row_r over the first `count` rows of the tile. A thread reads only elements
  // that it wrote itself, so it may refill the tile without a barrier.
  __device__ void add(const Columns& columns, const RowTile& tile, int count,
                      const float* const (&coefficients)[kVectors]) {
#pragma unroll
    for (int n = 0; n < Columns::kThreadVecs; ++n) {
      if (!columns.has(n)) continue;
      for (int r = columns.group; r < count; r += columns.groups) {
        const float4 value = tile.row(r)[columns.vec(n)];
#pragma unroll
        for (int v = 0; v < kVectors; ++v) sums[v][n] = add_multiple(coefficients[v][r], value, sums[v][n]);
      }
    }
  }

  // Calls store(v, column, sum) with the total over the groups, added in their order. Overwrites the tile.
  template <class Store>
  __device__ void finish(const Columns& columns, const RowTile& tile, const Store& store) const {
#pragma unroll
    for (int v = 0; v < kVectors; ++v) {
      __syncthreads();
#pragma unroll
      for (int n = 0; n < Columns::kThreadVecs; ++n)
        if (columns.has(n)) tile.row(columns.group)[columns.vec(n)] = sums[v][n];
      __syncthreads();
      for (int column = static_cast<int>(threadIdx.x); column < tile.stride; column += kRowThreads) {
        float sum = 0;
        for (int g = 0; g < columns.groups; ++g) sum += tile.memory[g * tile.stride + column];
        store(v, column, sum);
      }
    }
    __syncthreads();
  }
};

}  // namespace attn::kernels
