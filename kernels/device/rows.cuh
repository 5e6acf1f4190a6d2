// SPDX-License-Identifier: Apache-2.0
//
// What is bound by memory: each row of a matrix is read once, by one warp, 128 columns at a time.
#pragma once

#include "kernels/device/packet.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/device/tanh.cuh"

namespace attn::kernels {

inline constexpr int kRowWarps = 8;
inline constexpr int kRowThreads = kRowWarps * kLanes;

static_assert(kSweep == kLanes * kPacket, "a packet per lane");

// Scratch of a block; each function here leaves it free for the next.
using RowScratch = float[kRowWarps][kSweep];

// packets[v][n]: of vector v the packet at `column` + n sweeps + the lane's place, each read by one warp for all. What
// the block wrote to shared memory before is visible to all its threads after.
template <int kVectors, int kSweeps, class Storage>
__device__ void share_columns(const Rows<const Storage> (&vectors)[kVectors], Index column, RowScratch& scratch,
                              float4 (&packets)[kVectors][kSweeps]) {
  static_assert(kVectors * kSweeps <= kRowWarps, "a warp for each packet");
  const int place = lane_index() * kPacket;
#pragma unroll
  for (int v = 0; v < kVectors; ++v)
#pragma unroll
    for (int n = 0; n < kSweeps; ++n)
      if (warp_index() == v * kSweeps + n)
        *reinterpret_cast<float4*>(&scratch[v * kSweeps + n][place]) = vectors[v].load(0, column + n * kSweep + place);
  __syncthreads();
#pragma unroll
  for (int v = 0; v < kVectors; ++v)
#pragma unroll
    for (int n = 0; n < kSweeps; ++n)
      packets[v][n] = *reinterpret_cast<const float4*>(&scratch[v * kSweeps + n][place]);
  __syncthreads();
}

// sums [count], shared: for each row the sum over its columns of what `term` makes of them.
template <class Storage, class Term>
__device__ void reduce_rows(Rows<const Storage> rows, int count, const Term& term, RowScratch& scratch, float* sums) {
  constexpr int kSweeps = 2, kAtOnce = 2;
  if (count == 0) return;
  for (Index first = 0; first < rows.width; first += kSweeps * kSweep) {
    const Index column = first + lane_index() * kPacket;
    float4 vectors[Term::kVectors][kSweeps];
    share_columns(term.vectors, first, scratch, vectors);
    for (int row = warp_index() * kAtOnce; row < count; row += kRowWarps * kAtOnce) {
      float4 packets[kAtOnce][kSweeps];
#pragma unroll
      for (int r = 0; r < kAtOnce; ++r)
#pragma unroll
        for (int n = 0; n < kSweeps; ++n)
          packets[r][n] = row + r < count ? rows.load(row + r, column + n * kSweep) : float4{};
#pragma unroll
      for (int r = 0; r < kAtOnce; ++r) {
        float sum = 0;
#pragma unroll
        for (int n = 0; n < kSweeps; ++n) sum = Term::add(vectors, n, packets[r][n], sum);
        sum = sum_lanes(sum);
        if (lane_index() == 0 && row + r < count) sums[row + r] = first == 0 ? sum : sums[row + r] + sum;
      }
    }
  }
}

// v . tanh(q + row): the score of additive attention. Behind the row all three are zero, and so is the term.
template <class Storage>
struct AdditiveTerm {
  static constexpr int kVectors = 2;
  Rows<const Storage> vectors[kVectors];

  __device__ AdditiveTerm(const Storage* q, const Storage* v, Index A) : vectors{{q, A}, {v, A}} {}

  template <int kSweeps>
  __device__ static float add(const float4 (&qv)[kVectors][kSweeps], int n, float4 row, float sum) {
    return dot(qv[1][n], tanh_and_slope(qv[0][n] + row).value, sum);
  }
};

// w . row
template <class Storage>
struct DotTerm {
  static constexpr int kVectors = 1;
  Rows<const Storage> vectors[kVectors];

  __device__ DotTerm(const Storage* w, Index width) : vectors{{w, width}} {}

  template <int kSweeps>
  __device__ static float add(const float4 (&w)[kVectors][kSweeps], int n, float4 row, float sum) {
    return dot(w[0][n], row, sum);
  }
};

// Adds what the warps hold: `mine` is a packet of the columns lane * kPacket ..., and store(c, sum) gets the sum of
// column c < kSweep, in the order of the warps.
template <class Store>
__device__ void add_warps(float4 mine, RowScratch& scratch, const Store& store) {
  *reinterpret_cast<float4*>(&scratch[warp_index()][lane_index() * kPacket]) = mine;
  __syncthreads();
  if (threadIdx.x < kSweep) {
    float sum = 0;
    for (int warp = 0; warp < kRowWarps; ++warp) sum += scratch[warp][threadIdx.x];
    store(static_cast<int>(threadIdx.x), sum);
  }
  __syncthreads();
}

// store(column, sum) gets sum_j coefficients[j] row_j of each column once; coefficients [count], shared.
template <class Storage, class Store>
__device__ void combine_rows(Rows<const Storage> rows, int count, const float* coefficients, RowScratch& scratch,
                             const Store& store) {
  for (Index column = 0; column < rows.width; column += kSweep) {
    float4 sum{};
#pragma unroll 4
    for (int row = warp_index(); row < count; row += kRowWarps)
      sum = add_multiple(coefficients[row], rows.load(row, column + lane_index() * kPacket), sum);
    add_warps(sum, scratch, [&](int c, float total) {
      if (column + c < rows.width) store(column + c, total);
    });
  }
}

}  // namespace attn::kernels
