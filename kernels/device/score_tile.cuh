// SPDX-License-Identifier: Apache-2.0
//
// Scores of a tile of queries and keys from their encoded rows (kernels/encoding.h), which pass through shared memory
// in slices of columns. A thread's register tile is kRowsAtOnce queries with kSlots keys, and its warp has the same
// queries with 32 kSlots keys, so that queries are broadcast and neighbouring lanes read neighbouring keys.
//
// Instructions per element with four slots, grouped arithmetic: 2.75 FMA, 1/4 reciprocal, 3/32 loads of 16 bytes.
#pragma once

#include "kernels/device/reduce.cuh"
#include "kernels/device/tanh.cuh"
#include "kernels/encoding.h"

namespace attn::kernels {

inline constexpr int kRowsAtOnce = 8;

// Elements whose sums share a reciprocal. Where FMAs are the limit (64 per clock instead of 128), two: that takes 2.5
// FMAs and half a reciprocal for each element.
#if __CUDA_ARCH__ == 750 || __CUDA_ARCH__ == 800
inline constexpr int kShared = 2;
#else
inline constexpr int kShared = kGroupColumns;
#endif

// A slice of encoded columns, four of a row at a time.
template <int kColumns, int kRows, int kKeys>
struct EncodedSlice {
  float4 q[kColumns / 4][kRows];
  float4 k[kColumns / 4][kKeys];
  float4 factors[kColumns / 4];  // c or v
};

__device__ inline float reciprocal(float x) {
  float result;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

// d = c + c E, clamped to 1. NaN becomes 0, and the sum of reciprocals infinite or NaN.
__device__ inline float denominator(float q, float k, float c) {
  float result;
  asm("fma.rn.ftz.sat.f32 %0, %1, %2, %3;" : "=f"(result) : "f"(q), "f"(k), "f"(c));
  return result;
}

// Adds four columns of one pair to `sum`.
template <Arithmetic kArithmetic>
struct AddColumns;

template <>
struct AddColumns<Arithmetic::grouped> {
  template <bool kNegative>
  __device__ static float add(float4 q, float4 k, float4 c, float sum) {
    const float d0 = denominator(q.x, k.x, c.x), d1 = denominator(q.y, k.y, c.y);
    const float d2 = denominator(q.z, k.z, c.z), d3 = denominator(q.w, k.w, c.w);
    if constexpr (kShared == 2) {
      sum = fmaf(kNegative ? -(d0 + d1) : d0 + d1, reciprocal(d0 * d1), sum);
      return fmaf(kNegative ? -(d2 + d3) : d2 + d3, reciprocal(d2 * d3), sum);
    }
    float n = d0 + d1, p = d0 * d1;
    n = fmaf(n, d2, p), p *= d2;
    n = fmaf(n, d3, p), p *= d3;
    return fmaf(kNegative ? -n : n, reciprocal(p), sum);
  }
};

// (v0 n0 / d0) + (v1 n1 / d1) with n = q + k and d = 1 + q k.
template <>
struct AddColumns<Arithmetic::addition> {
  template <bool>
  __device__ static float add(float4 q, float4 k, float4 v, float sum) {
    sum = add_two(make_float2(q.x, q.y), make_float2(k.x, k.y), make_float2(v.x, v.y), sum);
    return add_two(make_float2(q.z, q.w), make_float2(k.z, k.w), make_float2(v.z, v.w), sum);
  }
  __device__ static float add_two(float2 q, float2 k, float2 v, float sum) {
    const float d0 = fmaf(q.x, k.x, 1.0f), d1 = fmaf(q.y, k.y, 1.0f);
    const float n = fmaf(v.x * (q.x + k.x), d1, v.y * (q.y + k.y) * d0);
    return fmaf(n, reciprocal(d0 * d1), sum);
  }
};

// Adds the columns of every kWarps-th block of `blocks`, beginning with `first`, to the thread's sums; `row` is the
// first of its queries, `lane` its first key.
template <Arithmetic kArithmetic, int kWarps, class Slice, int kSlots>
__device__ __forceinline__ void add_blocks(const Slice& slice, int row, int lane, int first, int blocks,
                                           float (&sums)[kRowsAtOnce][kSlots]) {
#pragma unroll 1
  for (int block = first; block < blocks; block += kWarps) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int at = 2 * block + half;
      const float4 factors = slice.factors[at];
      float4 k[kSlots];
#pragma unroll
      for (int slot = 0; slot < kSlots; ++slot) k[slot] = slice.k[at][lane + slot * kLanes];
#pragma unroll
      for (int i = 0; i < kRowsAtOnce; ++i) {
        const float4 q = slice.q[at][row + i];
#pragma unroll
        for (int slot = 0; slot < kSlots; ++slot)
          sums[i][slot] = half == 0 ? AddColumns<kArithmetic>::template add<false>(q, k[slot], factors, sums[i][slot])
                                    : AddColumns<kArithmetic>::template add<true>(q, k[slot], factors, sums[i][slot]);
      }
    }
  }
}

// The same with a tanh for each element, a column at a time: this is rare, and should not take the registers and
// instructions of several.
template <int kWarps, class Slice, int kSlots>
__device__ __forceinline__ void add_blocks_directly(const Slice& slice, int row, int lane, int first, int blocks,
                                                    float (&sums)[kRowsAtOnce][kSlots]) {
#pragma unroll 1
  for (int block = first; block < blocks; block += kWarps)
#pragma unroll 1
    for (int column = block * kBlockColumns; column < (block + 1) * kBlockColumns; ++column) {
      const int vec = column / 4, c = column % 4;
      const float* const q = &slice.q[vec][row].x + c;
      const float* const k = &slice.k[vec][lane].x + c;
      const float v = (&slice.factors[vec].x)[c];
#pragma unroll
      for (int i = 0; i < kRowsAtOnce; ++i)
#pragma unroll
        for (int slot = 0; slot < kSlots; ++slot)
          sums[i][slot] = fmaf(v, tanh_and_slope(q[4 * i] + k[4 * slot * kLanes]).value, sums[i][slot]);
    }
}

template <int kWarps, class Slice, int kSlots>
__device__ __forceinline__ void add_slice(Arithmetic arithmetic, const Slice& slice, int row, int lane, int first,
                                          int blocks, float (&sums)[kRowsAtOnce][kSlots]) {
  if (arithmetic == Arithmetic::grouped)
    add_blocks<Arithmetic::grouped, kWarps>(slice, row, lane, first, blocks, sums);
  else if (arithmetic == Arithmetic::addition)
    add_blocks<Arithmetic::addition, kWarps>(slice, row, lane, first, blocks, sums);
  else
    add_blocks_directly<kWarps>(slice, row, lane, first, blocks, sums);
}

// The score from a thread's sum over all columns.
__device__ inline float score_of(Arithmetic arithmetic, float sum, const ValueSummary& v) {
  if (arithmetic != Arithmetic::grouped) return sum;
  // A NaN among the inputs has made the sum infinite or NaN; adding 0 * sum makes the score NaN.
  return fmaf(sum, 0.0f, fmaf(sum * kGroupedScale, v.max, v.constant));
}

}  // namespace attn::kernels
