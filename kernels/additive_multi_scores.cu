// SPDX-License-Identifier: Apache-2.0
//
//   g_ij = dO_i . x_j + dAlpha_ij    dE_ij = alpha_ij (g_ij - sum_j alpha_ij g_ij)
//
// with several queries per batch item: the half of the backward pass that ends at the scores. fp32 throughout; alpha is
// the forward pass's or recomputed as exp(e - lse).
//
// Two kernels. In the first a block takes a tile of queries, 16 or 4, and of at most 128 keys of one item, and leaves
// alpha, g and for each query the sum of alpha g over the tile; in the second it takes 1024 keys of one query, adds
// these sums and turns g into dE.
//
// Bound by tanh where alpha is recomputed: B Q T A of them. Bytes, s per element, for each tile: s D of each query and
// key, with recomputation s A of each and of v; 4 for each query. For each pair: s where weights are given and s where
// dAlpha is, 4 for g and 4 for alpha (unless the given weights are fp32), 12 in the second kernel, and there for each
// query and 1024 keys 4 for each tile of keys.
#include "kernels/device/grid.cuh"
#include "kernels/device/pairs.cuh"
#include "kernels/device/softmax.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

template <class Storage, int kWarps>
__global__ void __launch_bounds__(kWarps* kLanes, 12 / kWarps)
    weights_and_gradients_kernel(const AdditiveBackward<Storage> p, const Index tiles) {
  constexpr int kQueries = Slices<kWarps>::kQueries;
  __shared__ Slices<kWarps> slices;
  const int query = query_index();

  for (Index item = blockIdx.x; item < p.B * tiles * p.split.chunks; item += gridDim.x) {
    const Index chunk = item % p.split.chunks, tile = item / p.split.chunks % tiles;
    const Index b = item / p.split.chunks / tiles, begin = chunk * p.split.chunk_keys;
    const Keys of_item(p, b);
    const int keys = static_cast<int>(keys_from(begin, of_item.valid, p.split.chunk_keys));
    if (keys == 0) continue;
    const Index first_key = of_item.first + begin;
    const Index first_row = b * p.Q + tile * kQueries, row = first_row + query;
    const int queries = static_cast<int>(min(p.Q - tile * kQueries, Index{kQueries}));
    const bool mine = query < queries;

    // 1. Weights.
    const float lse = mine && p.weights == nullptr ? p.lse[row] : 0.0f;
    float alpha[kSlots];
    if (p.weights == nullptr)
      sum_pairs<AdditivePair>(Rows<const Storage>(p.q + first_row * p.A, p.A), queries,
                              Rows<const Storage>(p.k + first_key * p.A, p.A), keys, p.v, slices, alpha);
#pragma unroll
    for (int slot = 0; slot < kSlots; ++slot) {
      if (!mine || key_index(slot) >= keys) continue;
      const Index at = row * p.T + begin + key_index(slot);
      alpha[slot] = p.weights == nullptr ? expf(alpha[slot] - lse) : to_float(p.weights[at]);
      if (p.kept_alpha != nullptr) p.kept_alpha[at] = alpha[slot];
    }
    if (!p.wants_scores) continue;

    // 2. Their gradients.
    float g[kSlots];
    sum_pairs<DotPair>(Rows<const Storage>(p.d_o + first_row * p.D, p.D), queries,
                       Rows<const Storage>(p.x + first_key * p.D, p.D), keys, p.v, slices, g);
    float mean = 0;
#pragma unroll
    for (int slot = 0; slot < kSlots; ++slot) {
      if (!mine || key_index(slot) >= keys) continue;
      const Index at = row * p.T + begin + key_index(slot);
      if (p.d_weights != nullptr) g[slot] += to_float(p.d_weights[at]);
      p.d_e[at] = g[slot];
      mean = fmaf(alpha[slot], g[slot], mean);
    }
    mean = sum_lanes<kRowLanes>(mean);
    if (mine && key_index(0) == 0) p.means[row * p.split.chunks + chunk] = mean;
  }
}

constexpr int kGradientWarps = 8;
constexpr int kGradientThreads = kGradientWarps * kLanes;

template <class Storage>
__global__ void __launch_bounds__(kGradientThreads)
    score_gradients_kernel(const AdditiveBackward<Storage> p, const Index slices) {
  __shared__ float scratch[kGradientWarps];
  for (Index item = blockIdx.x; item < p.B * p.Q * slices; item += gridDim.x) {
    const Index row = item / slices, begin = item % slices * kSliceKeys, valid = Keys(p, row / p.Q).valid;
    if (begin >= valid) continue;
    const Index chunks = chunks_with_keys(valid, p.split);
    float mean = 0;
    for (Index c = threadIdx.x; c < chunks; c += kGradientThreads) mean += p.means[row * p.split.chunks + c];
    mean = sum_block<kGradientWarps>(mean, scratch);
    const Index end = min(begin + kSliceKeys, valid);
    for (Index at = row * p.T + begin + threadIdx.x; at < row * p.T + end; at += kGradientThreads)
      p.d_e[at] = p.alpha[at] * (p.d_e[at] - mean);
  }
}

template <class Storage, int kWarps>
cudaError_t launch(const AdditiveBackward<Storage>& params, cudaStream_t stream) {
  const Index tiles = divide_up(params.Q, Slices<kWarps>::kQueries), items = params.B * tiles * params.split.chunks;
  if (items == 0) return cudaSuccess;
  weights_and_gradients_kernel<Storage, kWarps><<<blocks_for(items), kWarps * kLanes, 0, stream>>>(params, tiles);
  return cudaGetLastError();
}

}  // namespace

template <class Storage>
cudaError_t launch_additive_multi_scores(const AdditiveBackward<Storage>& params, cudaStream_t stream) {
  const cudaError_t status =
      params.Q <= kFewQueries ? launch<Storage, 1>(params, stream) : launch<Storage, 4>(params, stream);
  const Index slices = divide_up(params.T, kSliceKeys), items = params.B * params.Q * slices;
  if (status != cudaSuccess || items == 0 || !params.wants_scores) return status;
  score_gradients_kernel<Storage><<<blocks_for(items), kGradientThreads, 0, stream>>>(params, slices);
  return cudaGetLastError();
}

template cudaError_t launch_additive_multi_scores(const AdditiveBackward<float>&, cudaStream_t);
template cudaError_t launch_additive_multi_scores(const AdditiveBackward<__half>&, cudaStream_t);
template cudaError_t launch_additive_multi_scores(const AdditiveBackward<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels
