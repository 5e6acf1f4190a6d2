// SPDX-License-Identifier: Apache-2.0
//
//   g_ij = dO_i . x_j + dAlpha_ij    m_i = sum_j alpha_ij g_ij    dE_ij = alpha_ij (g_ij - m_i)
//
// with several queries per batch item: the gradients of the scores, all arithmetic in fp32. alpha is given, or recomputed
// by additive_multi_weights.cu.
//
// Grid and block: two kernels.
//   weight_gradients: one block of 128 threads per (item, tile of 16 queries, tile of at most 128 keys), or of 32
//     threads with tiles of 4 where an item has no more queries; the tiles of keys are the splits. Eight lanes share a
//     query, each with a register tile of 16 keys. Stores g, the split's share of m, and given 16-bit weights in fp32.
//   score_gradients: one block of 256 threads per (query, 1024 keys), which adds the shares of m and replaces g by dE.
// Shared memory: 21 KB (4 queries: 19 KB) for slices of the rows. Registers: at most 168 per thread, so that 12 warps
//   fit on a multiprocessor.
// Bytes, s per element: for each tile s D for each query and key; for each pair s or 4 for alpha, s where dAlpha is given,
//   4 for g, and 4 where given weights have to be stored in fp32. Second kernel: 12 for each pair, and 4 for each query,
//   1024 keys and split.
// Work: for each of B Q T D elements one FMA.
// Limit: the shared-memory loads of the dot products, 17 of 16 bytes for 64 FMAs.
#include "kernels/device/grid.cuh"
#include "kernels/device/pairs.cuh"
#include "kernels/device/query_tile.cuh"
#include "kernels/device/softmax.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

// Whether the thread's pair in `slot` exists.
__device__ bool has_pair(const QueryTile& tile, int slot) {
  return query_index() < tile.queries && key_index(slot) < tile.keys;
}

// alpha of the thread's pairs; given weights are stored in fp32 where the workspace has room for them.
template <class Storage>
__device__ void load_weights(const AdditiveBackward<Storage>& p, const QueryTile& tile, float (&alpha)[kSlots]) {
#pragma unroll
  for (int slot = 0; slot < kSlots; ++slot) {
    if (!has_pair(tile, slot)) continue;
    const Index at = (tile.first_row + query_index()) * p.T + tile.begin + key_index(slot);
    alpha[slot] = p.weights == nullptr ? p.alpha[at] : to_float(p.weights[at]);
    if (p.weights != nullptr && p.kept_alpha != nullptr) p.kept_alpha[at] = alpha[slot];
  }
}

// g of the thread's pairs, stored in the place of dE, and the tile's share of m.
template <class Storage, int kWarps>
__device__ void make_gradients(const AdditiveBackward<Storage>& p, const QueryTile& tile, Slices<kWarps>& slices,
                               const float (&alpha)[kSlots]) {
  const Index row = tile.first_row + query_index();
  float g[kSlots];
  dot_pairs(Rows<const Storage>(p.d_o + tile.first_row * p.D, p.D), tile.queries,
            Rows<const Storage>(p.x + tile.first_key * p.D, p.D), static_cast<int>(tile.keys), slices, g);
  float mean = 0;
#pragma unroll
  for (int slot = 0; slot < kSlots; ++slot) {
    if (!has_pair(tile, slot)) continue;
    const Index at = row * p.T + tile.begin + key_index(slot);
    if (p.d_weights != nullptr) g[slot] += to_float(p.d_weights[at]);
    p.d_e[at] = g[slot];
    mean = fmaf(alpha[slot], g[slot], mean);
  }
  mean = sum_lanes<kRowLanes>(mean);
  if (query_index() < tile.queries && key_index(0) == 0) p.means[row * p.split.count + tile.split] = mean;
}

template <class Storage, int kWarps>
__global__ void __launch_bounds__(kWarps* kLanes, 12 / kWarps)
    weight_gradients_kernel(const AdditiveBackward<Storage> p, const Index tiles) {
  __shared__ Slices<kWarps> slices;
  for_each_work_item(p.B * tiles * p.split.count, [&](Index item) {
    const QueryTile tile(p, item, tiles, Slices<kWarps>::kQueries);
    if (tile.keys == 0) return;
    float alpha[kSlots];
    load_weights(p, tile, alpha);
    if (p.wants_scores) make_gradients(p, tile, slices, alpha);
  });
}

constexpr int kGradientWarps = 8;
constexpr int kGradientThreads = kGradientWarps * kLanes;

template <class Storage>
__global__ void __launch_bounds__(kGradientThreads)
    score_gradients_kernel(const AdditiveBackward<Storage> p, const Index slices) {
  __shared__ float scratch[kGradientWarps];
  for_each_work_item(p.B * p.Q * slices, [&](Index item) {
    const Index row = item / slices, begin = item % slices * kSliceKeys, valid = ItemKeys(p, row / p.Q).valid;
    if (begin >= valid) return;
    // 1. m, from its shares.
    const Index splits = splits_with_keys(valid, p.split);
    float mean = 0;
    for (Index c = threadIdx.x; c < splits; c += kGradientThreads) mean += p.means[row * p.split.count + c];
    mean = sum_block<kGradientWarps>(mean, scratch);
    // 2. dE.
    const Index end = min(begin + kSliceKeys, valid);
    for (Index at = row * p.T + begin + threadIdx.x; at < row * p.T + end; at += kGradientThreads)
      p.d_e[at] = p.alpha[at] * (p.d_e[at] - mean);
  });
}

template <class Storage, int kWarps>
cudaError_t launch(const AdditiveBackward<Storage>& params, cudaStream_t stream) {
  const Index tiles = divide_up(params.Q, Slices<kWarps>::kQueries), items = params.B * tiles * params.split.count;
  if (items == 0) return cudaSuccess;
  weight_gradients_kernel<Storage, kWarps><<<blocks_for(items), kWarps * kLanes, 0, stream>>>(params, tiles);
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
