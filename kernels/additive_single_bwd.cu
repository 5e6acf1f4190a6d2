// SPDX-License-Identifier: Apache-2.0
//
//   g_j = dO . x_j + dAlpha_j    m = sum_j alpha_j g_j    dE_j = alpha_j (g_j - m)    t = tanh(q_a + k_ja)
//   dq_a = v_a sum_j dE_j (1 - t^2)    dk_ja = v_a dE_j (1 - t^2)    dv_a = sum_j dE_j t    dx_j = alpha_j dO
//
// with one query per batch item, all arithmetic in fp32. alpha is given or recomputed as exp(e - LSE).
//
// Grid and block: two kernels, each with one block of 256 threads per (item, split of the keys).
//   scores: reads the rows of x and, when recomputing, of k; stores alpha, g and the split's share of m. Eight lanes
//     share a row, as in additive_single_fwd.cu.
//   gradients: knows m; reads the rows of k again and writes dk, dx and the split's partial sums of dq and dv, which
//     row_sums.cu adds. Sixteen lanes share a row; their columns of q, v, dq and dv stay in registers while the rows
//     pass.
// Shared memory: 4 KB, and for each key of the split (at most 1024) 8 bytes in the first kernel, 4 in the second.
//   Registers: at most 128 per thread in fp32 and 80 at 16 bits, so that two or three blocks fit on a multiprocessor.
// Bytes, s per element: s B T (A + D) read for k and x, s B T A more when recomputing, s B T (A + D) written for dk and
//   dx; 16 B T for alpha and g, written and read; for each split s (2 A + 2 D) for q, v and dO, 2 s A more when
//   recomputing, 8 A for partial sums, and 4 for the share of m of each split of the item. s B T more for given
//   weights, and for dAlpha.
// Work: for each of B T A elements one tanh with its slope and three FMAs, one tanh more when recomputing; for each of
//   B T D elements one FMA and one multiplication. With aligned rows an element of k takes 17 issue slots for its
//   gradients (sm_90), of 128 per clock, and 9.1 in fp32 and 9.9 at 16 bits when recomputing.
// Limit: memory bandwidth. At 3.35 TB/s, 132 multiprocessors at 1.7 GHz read an element of k and write its gradient 1.9
//   times per clock each in fp32 and 3.7 times at 16 bits; issue allows 7.5.
#include "kernels/device/grid.cuh"
#include "kernels/device/row_sums.cuh"
#include "kernels/device/split_keys.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

// From the recomputed scores in `alpha` and dO . x in `g`, both [count] in shared memory: stores alpha and g, and
// returns the thread's share of m.
template <class Storage>
__device__ float store_weights_and_gradients(const AdditiveBackward<Storage>& p, const SplitKeys& keys,
                                             const float* alpha, const float* g) {
  float mean = 0;
  for (int j = static_cast<int>(threadIdx.x); j < keys.count; j += kRowThreads) {
    const Index at = keys.offset + j;
    const float weight = p.weights == nullptr ? expf(alpha[j] - p.lse[keys.b]) : to_float(p.weights[at]);
    if (p.kept_alpha != nullptr) p.kept_alpha[at] = weight;
    if (!p.wants_scores) continue;
    const float gradient = p.d_weights == nullptr ? g[j] : g[j] + to_float(p.d_weights[at]);
    p.d_e[at] = gradient;
    mean = fmaf(weight, gradient, mean);
  }
  return mean;
}

template <class Storage>
__global__ void __launch_bounds__(kRowThreads, kSumBlocks<Storage>)
    additive_single_scores_kernel(const AdditiveBackward<Storage> p) {
  extern __shared__ float alpha[];        // [keys of a split]
  float* const g = alpha + p.split.keys;  // [keys of a split]
  __shared__ RowScratch scratch;

  for_each_work_item(p.B * p.split.count, [&](Index item) {
    const SplitKeys keys(p, item);
    if (keys.count == 0) return;
    // 1. Scores, and dO . x.
    if (p.weights == nullptr)
      reduce_rows(Rows<const Storage>(p.k + keys.row * p.A, p.A), keys.count,
                  AdditiveTerm<Storage>{{p.q + keys.b * p.A, p.v}}, scratch, alpha);
    if (p.wants_scores)
      reduce_rows(Rows<const Storage>(p.x + keys.row * p.D, p.D), keys.count, DotTerm<Storage>{{p.d_o + keys.b * p.D}},
                  scratch, g);
    __syncthreads();
    // 2. alpha, g and the split's share of m.
    const float mean = sum_block<kRowWarps>(store_weights_and_gradients(p, keys, alpha, g), scratch[0]);
    if (threadIdx.x == 0 && p.wants_scores) p.means[keys.item] = mean;
  });
}

// dk of padding.
template <class Storage>
__device__ void store_zeros(Rows<Storage> rows, int count) {
  for (Index first = 0; count > 0 && first < rows.width; first += kWarpColumns)
    with_access(rows, [&](auto bytes) {
      const LaneRows<Storage, kGradientLanes> to(rows, first);
      store_rows<decltype(bytes)::value>(to, count, [](int, auto& values) {
#pragma unroll
        for (float& value : values) value = 0;
      });
    });
}

// dk of the valid keys of the split, and its partial sums of dq and dv. `d_e` [count] is shared memory.
template <class Storage>
__device__ void store_key_gradients(const AdditiveBackward<Storage>& p, const SplitKeys& keys, const float* d_e,
                                    RowScratch& scratch) {
  constexpr int kCount = LaneColumns<Storage, kGradientLanes>::kCount;
  const Storage* const vectors[] = {p.q + keys.b * p.A, p.v};
  const Rows<const Storage> k(p.k + keys.row * p.A, p.A);
  Storage* const d_k = p.d_k == nullptr ? nullptr : p.d_k + keys.row * p.A;
  for (Index first = 0; first < p.A; first += kWarpColumns) {
    float qv[2][kCount]{}, d_q[kCount]{}, d_v[kCount]{};
    if (keys.count > 0) share_slices<kGradientLanes>(vectors, p.A, first, scratch, qv);
    with_access<const Storage>(k, d_k, [&](auto bytes) {
      constexpr int kBytes = decltype(bytes)::value;
      const LaneRows<const Storage, kGradientLanes> from(k, first);
      LaneRows<Storage, kGradientLanes> to(d_k + (from.at - k.first), from);
      for_each_row<kBytes>(
          from, keys.count, [&](int, const auto& row) { return add_now(qv[0], row); },
          [&](int row, const LaneValues<kCount>& s) {
            if (row >= keys.count) return;
            float d_row[kCount];
#pragma unroll
            for (int i = 0; i < kCount; ++i) {
              const Tanh<float> t = unit_tanh_and_slope(s.at[i]);
              const float d_s = d_e[row] * t.slope;
              d_v[i] = fmaf(d_e[row], t.value, d_v[i]);
              d_q[i] += d_s;
              d_row[i] = qv[1][i] * d_s;
            }
            if (d_k != nullptr) store_next<kBytes>(to, d_row);
          });
    });
#pragma unroll
    for (int i = 0; i < kCount; ++i) d_q[i] *= qv[1][i];
    add_lanes_and_warps<Storage, kGradientLanes>(d_q, scratch, [&](int c, float sum) {
      if (p.d_q_partials != nullptr && first + c < p.A) p.d_q_partials[keys.item * p.A + first + c] = sum;
    });
    add_lanes_and_warps<Storage, kGradientLanes>(d_v, scratch, [&](int c, float sum) {
      if (p.d_v_partials != nullptr && first + c < p.A) p.d_v_partials[keys.item * p.A + first + c] = sum;
    });
  }
}

// dx of the split. `alpha` [count] is shared memory.
template <class Storage>
__device__ void store_value_gradients(const AdditiveBackward<Storage>& p, const SplitKeys& keys, const float* alpha,
                                      RowScratch& scratch) {
  constexpr int kCount = LaneColumns<Storage, kGradientLanes>::kCount;
  const Storage* const vectors[] = {p.d_o + keys.b * p.D};
  const Rows<Storage> d_x(p.d_x + keys.row * p.D, p.D);
  for (Index first = 0; first < p.D; first += kWarpColumns) {
    float d_o[1][kCount];
    share_slices<kGradientLanes>(vectors, p.D, first, scratch, d_o);
    with_access(d_x, [&](auto bytes) {
      const LaneRows<Storage, kGradientLanes> to(d_x, first);
      store_rows<decltype(bytes)::value>(to, keys.rows, [&](int row, float(&values)[kCount]) {
        const bool valid = row < keys.count;
        const float weight = valid ? alpha[row] : 0.0f;
#pragma unroll
        for (int i = 0; i < kCount; ++i) values[i] = valid ? weight * d_o[0][i] : 0.0f;
      });
    });
  }
}

// m of the item, from the shares of its splits, to all threads.
template <class Storage>
__device__ float sum_means(const AdditiveBackward<Storage>& p, const SplitKeys& keys, float* scratch) {
  float mean = 0;
  for (Index c = threadIdx.x; c < keys.splits; c += kRowThreads) mean += p.means[keys.b * p.split.count + c];
  return sum_block<kRowWarps>(mean, scratch);
}

template <class Storage>
__global__ void __launch_bounds__(kRowThreads, kSumBlocks<Storage>)
    additive_single_gradients_kernel(const AdditiveBackward<Storage> p) {
  extern __shared__ float alpha[];  // [keys of a split]: alpha, then dE
  __shared__ RowScratch scratch;
  for_each_work_item(p.B * p.split.count, [&](Index item) {
    const SplitKeys keys(p, item);
    // 1. dx.
    for (int j = static_cast<int>(threadIdx.x); j < keys.count; j += kRowThreads) alpha[j] = p.alpha[keys.offset + j];
    if (p.d_x != nullptr) store_value_gradients(p, keys, alpha, scratch);
    // 2. dE, then dk and the partial sums of dq and dv.
    if (p.wants_scores) {
      const float mean = sum_means(p, keys, scratch[0]);
      for (int j = static_cast<int>(threadIdx.x); j < keys.count; j += kRowThreads)
        alpha[j] *= p.d_e[keys.offset + j] - mean;
      store_key_gradients(p, keys, alpha, scratch);
      if (p.d_k != nullptr)
        store_zeros(Rows<Storage>(p.d_k + (keys.row + keys.count) * p.A, p.A), keys.rows - keys.count);
    }
    __syncthreads();
  });
}

}  // namespace

template <class Storage>
cudaError_t launch_additive_single_scores(const AdditiveBackward<Storage>& params, cudaStream_t stream) {
  const Index items = params.B * params.split.count;
  if (items == 0) return cudaSuccess;
  const auto shared = static_cast<std::size_t>(params.split.keys) * 2 * sizeof(float);
  additive_single_scores_kernel<Storage><<<blocks_for(items), kRowThreads, shared, stream>>>(params);
  return cudaGetLastError();
}

template <class Storage>
cudaError_t launch_additive_single_gradients(const AdditiveBackward<Storage>& params, cudaStream_t stream) {
  const Index items = params.B * params.split.count;
  if (items == 0) return cudaSuccess;
  const auto shared = static_cast<std::size_t>(params.split.keys) * sizeof(float);
  additive_single_gradients_kernel<Storage><<<blocks_for(items), kRowThreads, shared, stream>>>(params);
  return cudaGetLastError();
}

template cudaError_t launch_additive_single_scores(const AdditiveBackward<float>&, cudaStream_t);
template cudaError_t launch_additive_single_scores(const AdditiveBackward<__half>&, cudaStream_t);
template cudaError_t launch_additive_single_scores(const AdditiveBackward<__nv_bfloat16>&, cudaStream_t);
template cudaError_t launch_additive_single_gradients(const AdditiveBackward<float>&, cudaStream_t);
template cudaError_t launch_additive_single_gradients(const AdditiveBackward<__half>&, cudaStream_t);
template cudaError_t launch_additive_single_gradients(const AdditiveBackward<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels
