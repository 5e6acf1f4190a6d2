// SPDX-License-Identifier: Apache-2.0
//
//   t = tanh(q_ia + k_ja)
//   dq_ia = v_a sum_j dE_ij (1 - t^2)    dk_ja = v_a sum_i dE_ij (1 - t^2)    dv_a = sum_ij dE_ij t
//
// with several queries per batch item: all three from one tanh per element, all arithmetic in fp32.
//
// Grid and block: one block of 128 threads (32 where an item has at most 16 queries) per (item, split of the keys,
//   slice of 32 columns), a column per lane. Splits and slices together make about 256 blocks per item. A block goes
//   through its split in steps of 32 keys; its warps share out the queries, eight at a time, whose q and dq stay in
//   registers while the keys of the step pass. The block sees all queries, so dk is complete; dq and dv are partial
//   sums, one per split, which row_sums.cu adds.
// Shared memory: 26 KB (one warp: 10 KB): k, dk by warp, and dE of the step. Registers: at most 128 per thread, so that
//   16 warps fit on a multiprocessor.
// Bytes, s per element: for each item and slice, s for each element of k and of dk; for each step, s for each element
//   of q, 8 for each partial sum of dq (4 in the first step), and 4 for each dE.
// Work: for each of B Q T A elements one addition, one tanh with its slope, one multiplication, two additions and one
//   FMA.
// Limit: the special functions of tanh.
#include "kernels/device/grid.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/device/softmax.cuh"
#include "kernels/device/tanh.cuh"
#include "kernels/device/vec4.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

constexpr int kAtOnce = 8;  // queries of a warp

static_assert(kStepKeys == kLanes, "a lane per key while dE is loaded");
static_assert(kStepColumns == kLanes, "a lane per column after that");

template <int kWarps>
struct GradientShared {
  float k[kStepKeys][kLanes];            // [key][column]
  float d_k[kWarps][kStepKeys][kLanes];  // by warp, without the factor v
  float d_e[kWarps][kStepKeys][kAtOnce + kVecWidth];
};

// The split that the block processes, and the column of the calling lane.
struct SplitColumn {
  Index split, b;       // split: in [B, splits]
  Index column;         // of [A]
  bool inside;          // column < A
  Index first;          // row of k of the item's first key
  Index begin, end;     // of the split; keys are counted within the item
  Index valid, stored;  // where the split's valid keys and its rows of k end
  float v;              // of the column; 0 where it is not needed

  template <class Storage>
  __device__ SplitColumn(const AdditiveBackward<Storage>& p, Index item, Index slices) : split(item / slices), v(0) {
    b = split / p.gradient_split.count;
    column = item % slices * kLanes + lane_index();
    inside = column < p.A;
    begin = split % p.gradient_split.count * p.gradient_split.keys;
    end = min(begin + p.gradient_split.keys, p.T);
    const ItemKeys keys(p, b);
    first = keys.first;
    valid = min(keys.valid, end);
    stored = min(end, keys.stored);
    if (inside && begin < valid && p.Q > 0) v = to_float(p.v[column]);
  }
};

// Loads k of the step's `count` keys, from `key` on, and clears dk.
template <class Storage, int kWarps>
__device__ void load_keys(const AdditiveBackward<Storage>& p, const SplitColumn& at, Index key, int count,
                          GradientShared<kWarps>& shared) {
  const int lane = lane_index();
  for (int j = warp_index(); j < kStepKeys; j += kWarps) {
    shared.k[j][lane] = j < count && at.inside ? to_float(p.k[(at.first + key + j) * p.A + at.column]) : 0.0f;
    for (int w = 0; w < kWarps; ++w) shared.d_k[w][j][lane] = 0;
  }
}

// Adds what the warp's eight queries, from `first` on, and the step's keys contribute to dk and to the partial sums of
// dq. Returns their contribution to dv.
template <class Storage, int kWarps>
__device__ float add_queries(const AdditiveBackward<Storage>& p, const SplitColumn& at, Index first, Index key,
                             int count, GradientShared<kWarps>& shared) {
  float(*const d_e)[kAtOnce + kVecWidth] = shared.d_e[warp_index()];
  float q[kAtOnce], d_q[kAtOnce];
  __syncwarp();
#pragma unroll
  for (int n = 0; n < kAtOnce; ++n) {
    const Index row = at.b * p.Q + first + n;
    const bool exists = first + n < p.Q;
    q[n] = exists && at.inside ? to_float(p.q[row * p.A + at.column]) : 0.0f;
    d_q[n] = 0;
    d_e[lane_index()][n] = exists && lane_index() < count ? p.d_e[row * p.T + key + lane_index()] : 0.0f;
  }
  __syncwarp();

  float d_v = 0;
  for (int j = 0; j < count; ++j) {
    const float k = shared.k[j][lane_index()];
    float d_k = 0;
#pragma unroll
    for (int n = 0; n < kAtOnce; ++n) {
      const Tanh<float> t = tanh_and_slope(q[n] + k);
      const float d_s = d_e[j][n] * t.slope;
      d_q[n] += d_s;
      d_k += d_s;
      d_v = fmaf(d_e[j][n], t.value, d_v);
    }
    shared.d_k[warp_index()][j][lane_index()] += d_k;
  }

  if (p.d_q_partials == nullptr || !at.inside) return d_v;
#pragma unroll
  for (int n = 0; n < kAtOnce; ++n) {
    if (first + n >= p.Q) continue;
    const Index row = (at.b * p.Q + first + n) * p.gradient_split.count + at.split % p.gradient_split.count;
    float* const partial = p.d_q_partials + row * p.A + at.column;
    *partial = key > at.begin ? fmaf(at.v, d_q[n], *partial) : at.v * d_q[n];
  }
  return d_v;
}

// dk of the step: the total over the warps, or zero for padding.
template <class Storage, int kWarps>
__device__ void store_key_gradients(const AdditiveBackward<Storage>& p, const SplitColumn& at, Index key, int count,
                                    const GradientShared<kWarps>& shared) {
  for (int j = warp_index(); j < kStepKeys; j += kWarps) {
    float d_k = 0;
    for (int w = 0; w < kWarps; ++w) d_k += shared.d_k[w][j][lane_index()];
    if (p.d_k != nullptr && at.inside && key + j < at.stored)
      store(j < count ? at.v * d_k : 0.0f, p.d_k + (at.first + key + j) * p.A + at.column);
  }
}

// The split's partial sum of dv: the total over the warps.
template <class Storage, int kWarps>
__device__ void store_v_gradient(const AdditiveBackward<Storage>& p, const SplitColumn& at, float d_v,
                                 GradientShared<kWarps>& shared) {
  shared.k[warp_index()][lane_index()] = d_v;
  __syncthreads();
  if (warp_index() != 0 || !at.inside || p.d_v_partials == nullptr) return;
  d_v = 0;
  for (int w = 0; w < kWarps; ++w) d_v += shared.k[w][lane_index()];
  p.d_v_partials[at.split * p.A + at.column] = d_v;
}

template <class Storage, int kWarps>
__global__ void __launch_bounds__(kWarps* kLanes, 16 / kWarps)
    input_gradients_kernel(const AdditiveBackward<Storage> p, const Index slices) {
  __shared__ GradientShared<kWarps> shared;
  for_each_work_item(p.B * p.gradient_split.count * slices, [&](Index item) {
    const SplitColumn at(p, item, slices);
    float d_v = 0;
    for (Index key = at.begin; key < at.end || key == at.begin; key += kStepKeys) {
      const int count = static_cast<int>(count_keys(key, at.valid, kStepKeys));
      // 1. Keys of the step.
      load_keys(p, at, key, count, shared);
      __syncthreads();
      // 2. All queries. Without valid keys, the first step still has to store the partial sums of dq, which are zero.
      for (Index first = warp_index() * kAtOnce; first < p.Q && (count > 0 || key == at.begin);
           first += kWarps * kAtOnce)
        d_v += add_queries(p, at, first, key, count, shared);
      __syncthreads();
      // 3. dk. No barrier follows: a thread reads only elements that it overwrites itself in the next step.
      store_key_gradients(p, at, key, count, shared);
    }
    // 4. dv.
    store_v_gradient(p, at, d_v, shared);
    __syncthreads();
  });
}

template <class Storage, int kWarps>
cudaError_t launch(const AdditiveBackward<Storage>& params, cudaStream_t stream) {
  const Index slices = divide_up(params.A, kLanes), items = params.B * params.gradient_split.count * slices;
  if (items == 0) return cudaSuccess;
  input_gradients_kernel<Storage, kWarps><<<blocks_for(items), kWarps * kLanes, 0, stream>>>(params, slices);
  return cudaGetLastError();
}

}  // namespace

template <class Storage>
cudaError_t launch_additive_multi_gradients(const AdditiveBackward<Storage>& params, cudaStream_t stream) {
  return params.Q <= kTileQueries ? launch<Storage, 1>(params, stream) : launch<Storage, 4>(params, stream);
}

template cudaError_t launch_additive_multi_gradients(const AdditiveBackward<float>&, cudaStream_t);
template cudaError_t launch_additive_multi_gradients(const AdditiveBackward<__half>&, cudaStream_t);
template cudaError_t launch_additive_multi_gradients(const AdditiveBackward<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels
