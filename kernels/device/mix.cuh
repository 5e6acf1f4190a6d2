// SPDX-License-Identifier: Apache-2.0
//
// out_n = sum_j weights[j][n] row_j for kCount outputs at a time: contexts from rows of x, or gradients of x from rows
// of d_o. A warp takes every kWarps-th row, its lanes the columns, so that each row is read from memory once.
#pragma once

#include "kernels/device/packet.cuh"
#include "kernels/device/reduce.cuh"

namespace attn::kernels {

inline constexpr int kMixColumns = kSweep;

static_assert(kSweep == kLanes * kPacket, "a packet per lane");

// Shared memory for the weights of kTileKeys rows; the odd packet keeps neighbouring rows in different banks.
template <int kCount>
using MixWeights = float[kTileKeys][kCount + kPacket];

template <int kCount, int kWarps>
struct MixSums {
  static constexpr int kAtOnce = kCount < 8 ? kCount : 8;
  using Scratch = float[kWarps][kAtOnce][kMixColumns];
  float4 sums[kCount];

  __device__ void clear() {
#pragma unroll
    for (int n = 0; n < kCount; ++n) sums[n] = float4{};
  }

  // Adds `count` rows, in the columns from `column` on. Each is under way while the one before is added; more at a time
  // would take more registers than there are.
  template <class Storage>
  __device__ void add(Rows<const Storage> rows, int count, Index column, const MixWeights<kCount>& weights) {
    const Index place = column + lane_index() * kPacket;
    float4 next = warp_index() < count ? rows.load(warp_index(), place) : float4{};
#pragma unroll 1
    for (int row = warp_index(); row < count; row += kWarps) {
      const float4 value = next;
      if (row + kWarps < count) next = rows.load(row + kWarps, place);
#pragma unroll
      for (int n = 0; n < kCount; n += kPacket) {
        const float4 w = *reinterpret_cast<const float4*>(&weights[row][n]);
        sums[n] = add_multiple(w.x, value, sums[n]);
        sums[n + 1] = add_multiple(w.y, value, sums[n + 1]);
        sums[n + 2] = add_multiple(w.z, value, sums[n + 2]);
        sums[n + 3] = add_multiple(w.w, value, sums[n + 3]);
      }
    }
  }

  // store(n, c, sum) gets, for each output n and c < kMixColumns, what the warps hold together, in their order.
  // `scratch` is free again on return.
  template <class Store>
  __device__ void finish(Scratch& scratch, const Store& store) const {
#pragma unroll
    for (int first = 0; first < kCount; first += kAtOnce) {
#pragma unroll
      for (int n = 0; n < kAtOnce; ++n)
        *reinterpret_cast<float4*>(&scratch[warp_index()][n][lane_index() * kPacket]) = sums[first + n];
      __syncthreads();
      for (int at = static_cast<int>(threadIdx.x); at < kAtOnce * kMixColumns; at += kWarps * kLanes) {
        const int n = at / kMixColumns, c = at % kMixColumns;
        float sum = 0;
        for (int warp = 0; warp < kWarps; ++warp) sum += scratch[warp][n][c];
        store(first + n, c, sum);
      }
      __syncthreads();
    }
  }
};

}  // namespace attn::kernels
