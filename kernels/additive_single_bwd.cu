// SPDX-License-Identifier: Apache-2.0
//
//   g_j = dO . x_j + dAlpha_j    m = sum_j alpha_j g_j    dE_j = alpha_j (g_j - m)    t = tanh(q_a + k_ja)
//   dq_a = v_a sum_j dE_j (1 - t^2)    dk_ja = v_a dE_j (1 - t^2)    dv_a = sum_j dE_j t    dx_j = alpha_j dO
//
// with one query per batch item, all arithmetic in fp32. alpha is given or recomputed as exp(e - LSE).
//
// Grid and block: two kernels, each with one block of 256 threads per (item, split of the keys).
//   scores: reads the rows of x and, when recomputing, of k; stores alpha, g and the split's share of m.
//   gradients: knows m; reads the rows of k again and writes dk, dx and the split's partial sums of dq and dv, which
//     row_sums.cu adds.
// Shared memory: 4 KB, and for each key of the split (at most 1024) 8 bytes in the first kernel, 4 in the second.
//   Registers: at most 64 per thread, so that four blocks fit on a multiprocessor.
// Bytes, s per element: s B T (A + D) read for k and x, s B T A more when recomputing, s B T (A + D) written for dk and
//   dx; 16 B T for alpha and g, written and read; for each split s (2 A + 2 D) for q, v and dO, 2 s A more when
//   recomputing, 8 A for partial sums, and 4 for the share of m of each split of the item. s B T more for given
//   weights, and for dAlpha.
// Work: for each of B T A elements one tanh with its slope and three FMAs, one tanh more when recomputing; for each of
//   B T D elements one FMA and one multiplication.
// Limit: memory bandwidth.
#include "kernels/device/grid.cuh"
#include "kernels/device/rows.cuh"
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
__global__ void __launch_bounds__(kRowThreads, 4) additive_single_scores_kernel(const AdditiveBackward<Storage> p) {
  extern __shared__ float alpha[];        // [keys of a split]
  float* const g = alpha + p.split.keys;  // [keys of a split]
  __shared__ RowScratch scratch;

  for_each_work_item(p.B * p.split.count, [&](Index item) {
    const SplitKeys keys(p, item);
    if (keys.count == 0) return;
    // 1. Scores, and dO . x.
    if (p.weights == nullptr)
      reduce_rows(Rows<const Storage>(p.k + keys.row * p.A, p.A), keys.count,
                  AdditiveTerm<Storage>(p.q + keys.b * p.A, p.v, p.A), scratch, alpha);
    if (p.wants_scores)
      reduce_rows(Rows<const Storage>(p.x + keys.row * p.D, p.D), keys.count,
                  DotTerm<Storage>(p.d_o + keys.b * p.D, p.D), scratch, g);
    __syncthreads();
    // 2. alpha, g and the split's share of m.
    const float mean = sum_block<kRowWarps>(store_weights_and_gradients(p, keys, alpha, g), scratch[0]);
    if (threadIdx.x == 0 && p.wants_scores) p.means[keys.item] = mean;
  });
}

// dk of the split, and its partial sums of dq and dv. `d_e` [count] is shared memory.
template <class Storage>
__device__ void store_key_gradients(const AdditiveBackward<Storage>& p, const SplitKeys& keys, const float* d_e,
                                    RowScratch& scratch) {
  const Rows<const Storage> k(p.k + keys.row * p.A, p.A), vectors[] = {{p.q + keys.b * p.A, p.A}, {p.v, p.A}};
  const Rows<Storage> d_k(p.d_k == nullptr ? nullptr : p.d_k + keys.row * p.A, p.A);
  for (Index first = 0; first < p.A; first += kWarpColumns) {
    const Index column = first + lane_index() * kVecWidth;
    float4 values[2][1]{}, d_q{}, d_v{};
    if (keys.count > 0) share_columns(vectors, first, scratch, values);
    const float4 q = values[0][0], v = values[1][0];
    for (int j = warp_index(); j < keys.count; j += kRowWarps) {
      const Tanh<float4> t = tanh_and_slope(q + k.load(j, column));
      d_v = add_multiple(d_e[j], t.value, d_v);
      d_q = add_multiple(d_e[j], t.slope, d_q);
      if (p.d_k != nullptr) d_k.store(j, column, v * (d_e[j] * t.slope));
    }
    for (int j = keys.count + warp_index(); p.d_k != nullptr && j < keys.rows; j += kRowWarps)
      d_k.store(j, column, float4{});
    add_warps(v * d_q, scratch, [&](int c, float sum) {
      if (p.d_q_partials != nullptr && first + c < p.A) p.d_q_partials[keys.item * p.A + first + c] = sum;
    });
    add_warps(d_v, scratch, [&](int c, float sum) {
      if (p.d_v_partials != nullptr && first + c < p.A) p.d_v_partials[keys.item * p.A + first + c] = sum;
    });
  }
}

// dx of the split. `alpha` [count] is shared memory.
template <class Storage>
__device__ void store_value_gradients(const AdditiveBackward<Storage>& p, const SplitKeys& keys, const float* alpha,
                                      RowScratch& scratch) {
  const Rows<const Storage> d_o[] = {{p.d_o + keys.b * p.D, p.D}};
  const Rows<Storage> d_x(p.d_x + keys.row * p.D, p.D);
  for (Index first = 0; first < p.D; first += kWarpColumns) {
    float4 gradient[1][1];
    share_columns(d_o, first, scratch, gradient);
    for (int j = warp_index(); j < keys.rows; j += kRowWarps)
      d_x.store(j, first + lane_index() * kVecWidth, j < keys.count ? alpha[j] * gradient[0][0] : float4{});
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
__global__ void __launch_bounds__(kRowThreads, 4) additive_single_gradients_kernel(const AdditiveBackward<Storage> p) {
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
