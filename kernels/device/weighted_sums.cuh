// SPDX-License-Identifier: Apache-2.0
//
// out_n = sum_j weights[j][n] row_j for kCount outputs at a time: contexts from rows of x, or gradients of x from rows
// of dO. A warp takes every kWarps-th row and its lanes the columns, so each row is read from memory once.
#pragma once

#include "kernels/device/reduce.cuh"
#include "kernels/device/vec4.cuh"

namespace attn::kernels {

static_assert(kWarpColumns == kLanes * kVecWidth, "one vec4 per lane");

// Shared memory for the weights of a tile. The padding puts neighbouring rows into different banks.
template <int kCount>
using TileWeights = float[kTileKeys][kCount + kVecWidth];

template <int kCount, int kWarps>
struct WeightedSums {
  static constexpr int kAtOnce = kCount < 8 ? kCount : 8;
  using Scratch = float[kWarps][kAtOnce][kWarpColumns];
  float4 sums[kCount];  // the warp's share, in the lane's columns

  __device__ void clear() {
#pragma unroll
    for (int n = 0; n < kCount; ++n) sums[n] = float4{};
  }

  // Adds the first `count` rows, in the columns from `column` on. The next row is prefetched while one is added; a
  // deeper prefetch would need more registers than there are.
  template <class Storage>
  __device__ void add(Rows<const Storage> rows, int count, Index column, const TileWeights<kCount>& weights) {
    const Index lane_column = column + lane_index() * kVecWidth;
    float4 next = warp_index() < count ? rows.load(warp_index(), lane_column) : float4{};
#pragma unroll 1
    for (int row = warp_index(); row < count; row += kWarps) {
      const float4 value = next;
      if (row + kWarps < count) next = rows.load(row + kWarps, lane_column);
#pragma unroll
      for (int n = 0; n < kCount; n += kVecWidth) {
        const float4 w = *reinterpret_cast<const float4*>(&weights[row][n]);
        sums[n] = add_multiple(w.x, value, sums[n]);
        sums[n + 1] = add_multiple(w.y, value, sums[n + 1]);
        sums[n + 2] = add_multiple(w.z, value, sums[n + 2]);
        sums[n + 3] = add_multiple(w.w, value, sums[n + 3]);
      }
    }
  }

  // Calls store(n, c, sum) for each output n and column c < kWarpColumns with the total over all warps, added in their order.
  // `scratch` is free again on return.
  template <class Store>
  __device__ void finish(Scratch& scratch, const Store& store) const {
#pragma unroll
    for (int first = 0; first < kCount; first += kAtOnce) {
#pragma unroll
      for (int n = 0; n < kAtOnce; ++n)
        *reinterpret_cast<float4*>(&scratch[warp_index()][n][lane_index() * kVecWidth]) = sums[first + n];
      __syncthreads();
      for (int at = static_cast<int>(threadIdx.x); at < kAtOnce * kWarpColumns; at += kWarps * kLanes) {
        const int n = at / kWarpColumns, c = at % kWarpColumns;
        float sum = 0;
        for (int warp = 0; warp < kWarps; ++warp) sum += scratch[warp][n][c];
        store(first + n, c, sum);
      }
      __syncthreads();
    }
  }
};

}  // namespace attn::kernels
