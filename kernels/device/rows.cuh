// SPDX-License-Identifier: Apache-2.0
//
// Passes over the rows of a matrix that are bound by memory: each row is read once, by one warp, in slices of 128
// columns, one vec4 per lane.
#pragma once

#include "kernels/device/reduce.cuh"
#include "kernels/device/tanh.cuh"
#include "kernels/device/vec4.cuh"

namespace attn::kernels {

inline constexpr int kRowWarps = 8;
inline constexpr int kRowThreads = kRowWarps * kLanes;

static_assert(kWarpColumns == kLanes * kVecWidth, "one vec4 per lane");

// Shared memory of a block; it is free again when a function of this file returns.
using RowScratch = float[kRowWarps][kWarpColumns];

// Loads kSlices slices of each vector, from `column` on: values[v][n] is the lane's vec4 of slice n of vector v. One
// warp reads each slice for the whole block. The barriers also publish what the block wrote to shared memory before.
template <int kVectors, int kSlices, class Storage>
__device__ void share_columns(const Rows<const Storage> (&vectors)[kVectors], Index column, RowScratch& scratch,
                              float4 (&values)[kVectors][kSlices]) {
  static_assert(kVectors * kSlices <= kRowWarps, "one warp per slice of a vector");
  const int offset = lane_index() * kVecWidth;
#pragma unroll
  for (int v = 0; v < kVectors; ++v)
#pragma unroll
    for (int n = 0; n < kSlices; ++n)
      if (warp_index() == v * kSlices + n)
        *reinterpret_cast<float4*>(&scratch[v * kSlices + n][offset]) =
            vectors[v].load(0, column + n * kWarpColumns + offset);
  __syncthreads();
#pragma unroll
  for (int v = 0; v < kVectors; ++v)
#pragma unroll
    for (int n = 0; n < kSlices; ++n)
      values[v][n] = *reinterpret_cast<const float4*>(&scratch[v * kSlices + n][offset]);
  __syncthreads();
}

// sums[row] = the sum over the columns of Term::add() for each of the first `count` rows. `sums` [count] is shared
// memory.
template <class Storage, class Term>
__device__ void reduce_rows(Rows<const Storage> rows, int count, const Term& term, RowScratch& scratch, float* sums) {
  constexpr int kSlices = 2, kAtOnce = 2;
  if (count == 0) return;
  for (Index first = 0; first < rows.width; first += kSlices * kWarpColumns) {
    const Index column = first + lane_index() * kVecWidth;
    float4 vectors[Term::kVectors][kSlices];
    share_columns(term.vectors, first, scratch, vectors);
    for (int row = warp_index() * kAtOnce; row < count; row += kRowWarps * kAtOnce) {
      float4 values[kAtOnce][kSlices];
#pragma unroll
      for (int r = 0; r < kAtOnce; ++r)
#pragma unroll
        for (int n = 0; n < kSlices; ++n)
          values[r][n] = row + r < count ? rows.load(row + r, column + n * kWarpColumns) : float4{};
#pragma unroll
      for (int r = 0; r < kAtOnce; ++r) {
        float sum = 0;
#pragma unroll
        for (int n = 0; n < kSlices; ++n) sum = Term::add(vectors, n, values[r][n], sum);
        sum = sum_lanes(sum);
        if (lane_index() == 0 && row + r < count) sums[row + r] = first == 0 ? sum : sums[row + r] + sum;
      }
    }
  }
}

// v . tanh(q + row): the score of additive attention. Beyond the end of the row all three are zero, and so is the term.
template <class Storage>
struct AdditiveTerm {
  static constexpr int kVectors = 2;
  Rows<const Storage> vectors[kVectors];

  __device__ AdditiveTerm(const Storage* q, const Storage* v, Index A) : vectors{{q, A}, {v, A}} {}

  template <int kSlices>
  __device__ static float add(const float4 (&qv)[kVectors][kSlices], int n, float4 row, float sum) {
    return dot(qv[1][n], tanh_and_slope(qv[0][n] + row).value, sum);
  }
};

// w . row
template <class Storage>
struct DotTerm {
  static constexpr int kVectors = 1;
  Rows<const Storage> vectors[kVectors];

  __device__ DotTerm(const Storage* w, Index width) : vectors{{w, width}} {}

  template <int kSlices>
  __device__ static float add(const float4 (&w)[kVectors][kSlices], int n, float4 row, float sum) {
    return dot(w[0][n], row, sum);
  }
};

// Adds one slice over the warps of the block, in their order. `mine` is the calling warp's share of the slice, one vec4
// per lane. Calls store(c, sum) for each column c < kWarpColumns of the slice.
template <class Store>
__device__ void add_warps(float4 mine, RowScratch& scratch, const Store& store) {
  *reinterpret_cast<float4*>(&scratch[warp_index()][lane_index() * kVecWidth]) = mine;
  __syncthreads();
  if (threadIdx.x < kWarpColumns) {
    float sum = 0;
    for (int warp = 0; warp < kRowWarps; ++warp) sum += scratch[warp][threadIdx.x];
    store(static_cast<int>(threadIdx.x), sum);
  }
  __syncthreads();
}

// Calls store(column, sum) once for each column, with sum = sum_j coefficients[j] row_j. `coefficients` [count] is
// shared memory.
template <class Storage, class Store>
__device__ void combine_rows(Rows<const Storage> rows, int count, const float* coefficients, RowScratch& scratch,
                             const Store& store) {
  for (Index column = 0; column < rows.width; column += kWarpColumns) {
    float4 sum{};
#pragma unroll 4
    for (int row = warp_index(); row < count; row += kRowWarps)
      sum = add_multiple(coefficients[row], rows.load(row, column + lane_index() * kVecWidth), sum);
    add_warps(sum, scratch, [&](int c, float total) {
      if (column + c < rows.width) store(column + c, total);
    });
  }
}

}  // namespace attn::kernels
