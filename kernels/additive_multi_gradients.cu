// SPDX-License-Identifier: Apache-2.0
//
//   t = tanh(q_ia + k_ja)
//   dq_ia = v_a sum_j dE_ij (1 - t^2)    dk_ja = v_a sum_i dE_ij (1 - t^2)    dv_a = sum_ij dE_ij t
//
// with several queries per batch item, all three from one tanh per element. fp32 throughout.
//
// A block takes 32 columns, one per lane, of one span of keys of one item, 32 keys at a time; its warps, four or for
// few queries one, share out the queries, eight at a time. q and dq of the eight stay in registers while the keys pass
// by; dk of the 32 keys is kept in shared memory, for each warp apart, and added up when all queries have passed. So dk
// is complete, and a span leaves one part of dq and of dv, to be added by row_sums.cu: spans and slices of columns make
// 256 blocks of an item, or nearly so.
//
// Bound by tanh: B Q T A of them. Bytes, s per element, for each item and 32 columns: s of each element of k, and of
// dk; for each 32 keys, s of each element of q and 8 for its part of dq (4 at the first); 4 for each dE.
#include "kernels/device/grid.cuh"
#include "kernels/device/packet.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/device/softmax.cuh"
#include "kernels/device/tanh.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

constexpr int kAtOnce = 8;  // queries of a warp

static_assert(kStepKeys == kLanes, "lanes stand for keys while dE is loaded");
static_assert(kStepColumns == kLanes, "and for columns after that");

template <int kWarps>
struct GradientShared {
  float keys[kStepKeys][kLanes];            // column by lane
  float d_keys[kWarps][kStepKeys][kLanes];  // without the factor v
  float d_e[kWarps][kStepKeys][kAtOnce + kPacket];
};

// The block's columns, and its place in the outputs.
struct Step {
  Index b, part, column;  // part: of [B, spans]
  bool inside;            // whether the lane's column is one
  float factor;           // v of the column
};

// Passes eight queries, from `first` on, over the step's keys. Returns what they add to dv.
template <class Storage, int kWarps>
__device__ float pass_queries(const AdditiveBackward<Storage>& p, const Step& step, Index first, Index key, int count,
                              bool adds, GradientShared<kWarps>& shared) {
  float(*const d_e)[kAtOnce + kPacket] = shared.d_e[warp_index()];
  float q[kAtOnce], d_q[kAtOnce];
  __syncwarp();
#pragma unroll
  for (int n = 0; n < kAtOnce; ++n) {
    const Index row = step.b * p.Q + first + n;
    const bool there = first + n < p.Q;
    q[n] = there && step.inside ? to_float(p.q[row * p.A + step.column]) : 0.0f;
    d_q[n] = 0;
    d_e[lane_index()][n] = there && lane_index() < count ? p.d_e[row * p.T + key + lane_index()] : 0.0f;
  }
  __syncwarp();

  float d_v = 0;
  for (int j = 0; j < count; ++j) {
    const float k = shared.keys[j][lane_index()];
    float d_k = 0;
#pragma unroll
    for (int n = 0; n < kAtOnce; ++n) {
      const Tanh<float> t = tanh_and_slope(q[n] + k);
      const float through = d_e[j][n] * t.slope;
      d_q[n] += through;
      d_k += through;
      d_v = fmaf(d_e[j][n], t.value, d_v);
    }
    shared.d_keys[warp_index()][j][lane_index()] += d_k;
  }

  if (p.d_q_parts == nullptr || !step.inside) return d_v;
#pragma unroll
  for (int n = 0; n < kAtOnce; ++n) {
    if (first + n >= p.Q) continue;
    const Index row = (step.b * p.Q + first + n) * p.spans.chunks + step.part % p.spans.chunks;
    float* const part = p.d_q_parts + row * p.A + step.column;
    *part = adds ? fmaf(step.factor, d_q[n], *part) : step.factor * d_q[n];
  }
  return d_v;
}

template <class Storage, int kWarps>
__global__ void __launch_bounds__(kWarps* kLanes, 16 / kWarps)
    input_gradients_kernel(const AdditiveBackward<Storage> p, const Index slices) {
  __shared__ GradientShared<kWarps> shared;
  const int lane = lane_index(), warp = warp_index();

  for (Index item = blockIdx.x; item < p.B * p.spans.chunks * slices; item += gridDim.x) {
    Step step{};
    step.part = item / slices;
    step.b = step.part / p.spans.chunks;
    step.column = item % slices * kLanes + lane;
    step.inside = step.column < p.A;
    const Index begin = step.part % p.spans.chunks * p.spans.chunk_keys, end = min(begin + p.spans.chunk_keys, p.T);
    const Keys of_item(p, step.b);
    const Index valid = min(of_item.valid, end);
    if (step.inside && begin < valid && p.Q > 0) step.factor = to_float(p.v[step.column]);

    float d_v = 0;
    for (Index key = begin; key < end || key == begin; key += kStepKeys) {
      const int count = static_cast<int>(keys_from(key, valid, kStepKeys));
      for (int j = warp; j < kStepKeys; j += kWarps) {
        shared.keys[j][lane] =
            j < count && step.inside ? to_float(p.k[(of_item.first + key + j) * p.A + step.column]) : 0.0f;
        for (int w = 0; w < kWarps; ++w) shared.d_keys[w][j][lane] = 0;
      }
      __syncthreads();
      // A step without valid keys still has the part of dq to write, zero, where it is the first.
      for (Index first = warp * kAtOnce; first < p.Q && (count > 0 || key == begin); first += kWarps * kAtOnce)
        d_v += pass_queries(p, step, first, key, count, key > begin, shared);
      __syncthreads();
      // A thread reads what the next step has it overwrite.
      for (int j = warp; j < kStepKeys; j += kWarps) {
        float d_k = 0;
        for (int w = 0; w < kWarps; ++w) d_k += shared.d_keys[w][j][lane];
        if (p.d_k != nullptr && step.inside && key + j < min(end, of_item.stored))
          store(j < count ? step.factor * d_k : 0.0f, p.d_k + (of_item.first + key + j) * p.A + step.column);
      }
    }

    shared.keys[warp][lane] = d_v;
    __syncthreads();
    if (warp == 0 && step.inside && p.d_v_parts != nullptr) {
      d_v = 0;
      for (int w = 0; w < kWarps; ++w) d_v += shared.keys[w][lane];
      p.d_v_parts[step.part * p.A + step.column] = d_v;
    }
    __syncthreads();
  }
}

template <class Storage, int kWarps>
cudaError_t launch(const AdditiveBackward<Storage>& params, cudaStream_t stream) {
  const Index slices = divide_up(params.A, kLanes), items = params.B * params.spans.chunks * slices;
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
