// SPDX-License-Identifier: Apache-2.0
//
// Blocks whose warps share out the rows of a matrix, in slices of 128 columns.
#pragma once

#include "kernels/device/reduce.cuh"
#include "kernels/device/vec4.cuh"

namespace attn::kernels {

inline constexpr int kRowWarps = 8;
inline constexpr int kRowThreads = kRowWarps * kLanes;

static_assert(kWarpColumns == kLanes * kVecWidth, "one vec4 per lane");

// Shared memory of a block; it is free again when a function of this file returns.
using RowScratch = float[kRowWarps][kWarpColumns];

// Adds one slice over the warps of the block, in their order, each of which has written its share to its row of
// `scratch`. Calls store(c, sum) for each column c < kWarpColumns of the slice.
template <class Store>
__device__ void add_scratch(RowScratch& scratch, const Store& store) {
  __syncthreads();
  if (threadIdx.x < kWarpColumns) {
    float sum = 0;
    for (int warp = 0; warp < kRowWarps; ++warp) sum += scratch[warp][threadIdx.x];
    store(static_cast<int>(threadIdx.x), sum);
  }
  __syncthreads();
}

// As above, where `mine` is the calling warp's share of the slice, one vec4 per lane.
template <class Store>
__device__ void add_warps(float4 mine, RowScratch& scratch, const Store& store) {
  *reinterpret_cast<float4*>(&scratch[warp_index()][lane_index() * kVecWidth]) = mine;
  add_scratch(scratch, store);
}

}  // namespace attn::kernels
