// SPDX-License-Identifier: Apache-2.0
//
// Encodes q, k and v for several queries per batch item; kernels/encoding.h derives the arithmetic. For each item, its
// largest |q| and |k| choose between
//
//   grouped    exp(-2 tau sign(v_a) x), on one side times c_a
//   addition   tanh(x)
//   direct     x
//
// Grid and block: two kernels.
//   ranges: one block of 256 threads per (item, q or k, part of 2048 elements or more), of which no more than 128; a
//     last block summarises v.
//   encode: one block of 256 threads per (item, q or k, 64 rows, 128 columns); a thread encodes four columns of eight
//     rows.
// Shared memory: 64 bytes. Registers: at most 64 per thread.
// Bytes, s per element: twice s for each valid element of q and k (the second time usually from the L2 cache), 4 for
//   each encoded element, whole tiles of rows by multiples of 8 columns; 8 for each part and block.
// Work: one exponential per element.
// Limit: memory bandwidth.
#include "kernels/device/elements.cuh"
#include "kernels/device/softmax.cuh"
#include "kernels/device/tanh.cuh"
#include "kernels/device/vec4.cuh"
#include "kernels/encoding.h"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

constexpr int kThreads = 256, kWarps = kThreads / kLanes;
constexpr int kThreadRows = 8, kBlockRows = kWarps * kThreadRows, kSliceWidth = kLanes * kVecWidth;

// One side of a batch item: its queries or its keys.
template <class Storage>
struct Side {
  const Storage* first;  // [rows, A], the valid rows
  Index rows;
  const EncodedRows* encoded;

  __device__ Side(const AdditiveEncode<Storage>& p, Index b, bool keys) {
    const ItemKeys of_item(p, b);
    rows = keys ? of_item.valid : p.Q;
    first = keys ? p.k + of_item.first * p.A : p.q + b * p.Q * p.A;
    encoded = keys ? &p.encoding.k : &p.encoding.q;
  }
};

// v without the grouped sums: c and v of all columns, and their summary.
template <class Storage>
__device__ void summarise_values(const AdditiveEncode<Storage>& p, float* scratch) {
  const Encoding& encoding = p.encoding;
  float max = 0, sum = 0, constant = 0;
  for (Index a = threadIdx.x; a < p.A; a += kThreads) max = fmaxf(max, fabsf(to_float(p.v[a])));
  max = max_block<kWarps>(max, scratch);
  if (max == 0) max = 1;
  for (Index a = threadIdx.x; a < encoding.columns; a += kThreads) {
    const float v = a < p.A ? to_float(p.v[a]) : 0.0f, tau = a / kGroupColumns % 2 == 0 ? 1.0f : -1.0f;
    sum += fabsf(v);
    constant -= tau * fabsf(v);
    encoding.factors[a] = v == 0 ? 1.0f : fminf(1.0f, kLeastDenominator * (max / fabsf(v)));
    encoding.factors[encoding.columns + a] = v;
  }
  sum = sum_block<kWarps>(sum, scratch);
  constant = sum_block<kWarps>(constant, scratch);
  if (threadIdx.x == 0) *encoding.values = {max, constant, sum};
}

template <class Storage>
__global__ void __launch_bounds__(kThreads, 4) ranges_kernel(const AdditiveEncode<Storage> p) {
  __shared__ float scratch[kWarps];
  const Index parts = p.encoding.range_parts, sides = 2 * p.B;
  for_each_work_item(sides * parts + 1, [&](Index item) {
    if (item == sides * parts) return summarise_values(p, scratch);
    const Side<Storage> side(p, item / parts / 2, item / parts % 2 == 1);
    // All valid elements of the side, as one row.
    const Rows<const Storage> elements(side.first, side.rows * p.A);
    float max = 0;
    const Index step = parts * kThreads * kVecWidth;
    for (Index at = (item % parts * kThreads + threadIdx.x) * kVecWidth; at < elements.width; at += step) {
      const float4 x = elements.load(0, at);
      max = fmaxf(fmaxf(max, fmaxf(fabsf(x.x), fabsf(x.y))), fmaxf(fabsf(x.z), fabsf(x.w)));
    }
    max = max_block<kWarps>(max, scratch);
    if (threadIdx.x == 0) p.encoding.ranges[item] = max;
  });
}

struct Choice {
  Arithmetic arithmetic;
  bool folds;  // whether c is folded into this side
};

// The choice for a side of item b, from the largest values of the parts. By all threads of a warp.
__device__ Choice choose(const Encoding& encoding, Index b, bool keys) {
  float max[2] = {0, 0};
  for (int side = 0; side < 2; ++side) {
    const float* const parts = encoding.ranges + (2 * b + side) * encoding.range_parts;
    for (Index part = lane_index(); part < encoding.range_parts; part += kLanes)
      max[side] = fmaxf(max[side], parts[part]);
    max[side] = max_lanes(max[side]);
  }
  return {choose_arithmetic(max[0], max[1], *encoding.values), folds_into_queries(max[0], max[1]) != keys};
}

// -tau sign(v)
__device__ inline float exponent_sign(float v, Index column) {
  return signbit(v) == (column / kGroupColumns % 2 == 1) ? -1.0f : 1.0f;
}

// factor exp(2 sign x). The product 2 log2(e) x is computed to twice the precision, as y + rest, because its rounding
// error would become a relative error of |x| units in the last place.
__device__ inline float scaled_exponential(float x, float sign, float factor) {
  constexpr float kTwiceLog2E = 2.88539004f, kRemainder = 3.8519259e-8f, kLog2 = 0.693147181f;
  const float y = sign * kTwiceLog2E * x, rest = fmaf(sign * kTwiceLog2E, x, -y) + sign * kRemainder * x;
  float power;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(y));
  // Beyond 43 the power is as good as 0 or infinite, and the rest may be NaN.
  return factor * (fabsf(x) <= 43 ? fmaf(power, rest * kLog2, power) : power);
}

template <class Storage>
__global__ void __launch_bounds__(kThreads, 4)
    encode_kernel(const AdditiveEncode<Storage> p, const Index q_blocks, const Index k_blocks, const Index slices) {
  __shared__ Choice choice;
  const Encoding& encoding = p.encoding;
  const Index blocks = q_blocks + k_blocks;
  for_each_work_item(p.B * blocks * slices, [&](Index item) {
    const Index b = item / slices / blocks, block = item / slices % blocks;
    const bool keys = block >= q_blocks;
    const Side<Storage> side(p, b, keys);
    __syncthreads();
    if (warp_index() == 0) choice = choose(encoding, b, keys);
    __syncthreads();
    if (threadIdx.x == 0 && block == 0 && item % slices == 0) encoding.arithmetic[b] = choice.arithmetic;

    const Index row = (keys ? block - q_blocks : block) * kBlockRows + warp_index() * kThreadRows;
    const Index a = item % slices * kSliceWidth + lane_index() * kVecWidth;
    const EncodedRows& to = *side.encoded;
    const Index tile = row / to.tile_rows, in_tile = row % to.tile_rows;
    // Tiles without a valid row are never read.
    if (a >= encoding.columns || tile >= to.count || tile * to.used >= side.rows) return;
    const Index first = tile * to.used + in_tile, end = min((tile + 1) * to.used, side.rows);

    const float4 v = *reinterpret_cast<const float4*>(encoding.factors + encoding.columns + a);
    float4 factor = make_float4(1, 1, 1, 1);
    if (choice.folds) factor = *reinterpret_cast<const float4*>(encoding.factors + a);
    const float4 sign =
        make_float4(exponent_sign(v.x, a), exponent_sign(v.y, a), exponent_sign(v.z, a), exponent_sign(v.w, a));
    const Rows<const Storage> rows(side.first, p.A);
    float4* const target =
        reinterpret_cast<float4*>(to.tile(b, tile, encoding.columns)) + a / kVecWidth * to.tile_rows + in_tile;
#pragma unroll
    for (int r = 0; r < kThreadRows; ++r) {
      float4 x = first + r < end ? rows.load(first + r, a) : float4{};
      if (choice.arithmetic == Arithmetic::grouped) {
        x = make_float4(scaled_exponential(x.x, sign.x, factor.x), scaled_exponential(x.y, sign.y, factor.y),
                        scaled_exponential(x.z, sign.z, factor.z), scaled_exponential(x.w, sign.w, factor.w));
      } else if (choice.arithmetic == Arithmetic::addition) {
        x = tanh_and_slope(x).value;
      }
      target[r] = x;
    }
  });
}

}  // namespace

template <class Storage>
cudaError_t launch_additive_encode(const AdditiveEncode<Storage>& params, cudaStream_t stream) {
  const Encoding& encoding = params.encoding;
  if (params.B == 0 || params.Q == 0 || params.T == 0) return cudaSuccess;
  const Index ranges = 2 * params.B * encoding.range_parts + 1;
  ranges_kernel<Storage><<<blocks_for(ranges), kThreads, 0, stream>>>(params);
  const cudaError_t status = cudaGetLastError();
  const Index q_blocks = divide_up(encoding.q.count * encoding.q.tile_rows, kBlockRows);
  const Index k_blocks = divide_up(encoding.k.count * encoding.k.tile_rows, kBlockRows);
  const Index slices = divide_up(encoding.columns, kSliceWidth), items = params.B * (q_blocks + k_blocks) * slices;
  if (status != cudaSuccess) return status;
  encode_kernel<Storage><<<blocks_for(items), kThreads, 0, stream>>>(params, q_blocks, k_blocks, slices);
  return cudaGetLastError();
}

template cudaError_t launch_additive_encode(const AdditiveEncode<float>&, cudaStream_t);
template cudaError_t launch_additive_encode(const AdditiveEncode<__half>&, cudaStream_t);
template cudaError_t launch_additive_encode(const AdditiveEncode<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels
