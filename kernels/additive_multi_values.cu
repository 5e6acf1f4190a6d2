// SPDX-License-Identifier: Apache-2.0
//
//   dx_j = sum_i alpha_ij dO_i
//
// with several queries per batch item, all arithmetic in fp32.
//
// Grid and block: one block of 128 threads per (item, tile of 16 keys, slice of 128 columns). A block goes through all
//   queries, 128 rows of dO at a time, which its warps share out.
// Shared memory: 26 KB for the weights of 128 queries and the sums of the warps. Registers: at most 168 per thread, so
//   that three blocks fit on a multiprocessor.
// Bytes, s per element: for each tile and slice s for each element of dO, 4 for each weight, s for each element of dx.
// Work: one FMA for each of B Q T D elements.
// Limit: FMAs and reads of dO from the L2 cache, 16 FMAs per element read.
#include "kernels/device/grid.cuh"
#include "kernels/device/softmax.cuh"
#include "kernels/device/weighted_sums.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * kLanes;

struct ValueShared {
  TileWeights<kValueKeys> weights;
  WeightedSums<kValueKeys, kWarps>::Scratch scratch;
};

// Copies the weights of `count` queries with the tile's keys; `alpha` [count, T] begins at the tile's first key.
// Weights of keys from `keys` on are zero.
__device__ void load_weights(const float* alpha, Index T, int count, int keys, TileWeights<kValueKeys>& weights) {
  for (int at = static_cast<int>(threadIdx.x); at < count * kValueKeys; at += kThreads) {
    const int i = at / kValueKeys, j = at % kValueKeys;
    weights[i][j] = j < keys ? alpha[i * T + j] : 0.0f;
  }
}

template <class Storage>
__global__ void __launch_bounds__(kThreads, 3)
    value_gradients_kernel(const AdditiveBackward<Storage> p, const Index tiles, const Index slices) {
  __shared__ ValueShared shared;
  for_each_work_item(p.B * tiles * slices, [&](Index item) {
    const Index column = item % slices * kWarpColumns, begin = item / slices % tiles * kValueKeys,
                b = item / slices / tiles;
    const ItemKeys of_item(p, b);
    const int keys = static_cast<int>(count_keys(begin, of_item.valid, kValueKeys));
    WeightedSums<kValueKeys, kWarps> gradient;
    gradient.clear();
    // 1. Sums over the queries, by warp.
    for (Index first = 0; first < p.Q && keys > 0; first += kTileKeys) {
      const int count = static_cast<int>(min(p.Q - first, Index{kTileKeys}));
      load_weights(p.alpha + (b * p.Q + first) * p.T + begin, p.T, count, keys, shared.weights);
      __syncthreads();
      gradient.add(Rows<const Storage>(p.d_o + (b * p.Q + first) * p.D, p.D), count, column, shared.weights);
      __syncthreads();
    }
    // 2. Totals; dx of padding is zero.
    gradient.finish(shared.scratch, [&](int j, int c, float sum) {
      if (begin + j < of_item.stored && column + c < p.D)
        store(j < keys ? sum : 0.0f, p.d_x + (of_item.first + begin + j) * p.D + column + c);
    });
  });
}

}  // namespace

template <class Storage>
cudaError_t launch_additive_multi_values(const AdditiveBackward<Storage>& params, cudaStream_t stream) {
  const Index tiles = divide_up(params.T, kValueKeys), slices = divide_up(params.D, kWarpColumns);
  const Index items = params.B * tiles * slices;
  if (items == 0) return cudaSuccess;
  value_gradients_kernel<Storage><<<blocks_for(items), kThreads, 0, stream>>>(params, tiles, slices);
  return cudaGetLastError();
}

template cudaError_t launch_additive_multi_values(const AdditiveBackward<float>&, cudaStream_t);
template cudaError_t launch_additive_multi_values(const AdditiveBackward<__half>&, cudaStream_t);
template cudaError_t launch_additive_multi_values(const AdditiveBackward<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels
