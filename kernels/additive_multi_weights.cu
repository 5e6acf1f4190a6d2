// SPDX-License-Identifier: Apache-2.0
//
//   alpha_ij = exp(e_ij - LSE_i)
//
// with several queries per batch item: the weights, recomputed for a backward pass from the encoded queries and keys. The
// scores are computed exactly as in additive_multi_fwd.cu, so they have the bits that the LSE was made from.
//
// Grid and block: one block of 128 threads per (item, tile of queries, split of the keys), as in the forward pass.
// Shared memory: 22 to 47 KB, as in the forward pass. Registers: at most 128 (168 before sm_90).
// Bytes: for each tile of queries and tile of keys 4 for each encoded element of their rows and each of its factors, and
//   4 for each query; 4 for each pair.
// Work: for each of B Q T A elements, including those of incomplete tiles, 2.75 FMAs and a quarter of a reciprocal.
// Limit: issue slots.
#include "kernels/device/grid.cuh"
#include "kernels/device/score_pass.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

template <class Tile>
struct WeightsShared {
  union Stage {
    typename Tile::Slice rows;
    float sums[Tile::kColumnWarps][kRowsAtOnce][Tile::kKeys];  // of warps that share out the columns
  };
  Stage stages[2];
  TileNumbers<Tile::kRows, Tile::kKeys> weights;
  WorkItem work;
};

// Replaces the warp's scores by weights.
template <class Tile>
__device__ __forceinline__ void to_weights(const WorkItem& work, ThreadPlace place, const float* lse,
                                           float (&e)[Tile::kSoftmaxRows][Tile::kSlots]) {
  const int first = place.warp * Tile::kSoftmaxRows, mine = first + place.lane % Tile::kSoftmaxRows;
  const float of_mine = mine < work.queries ? lse[work.first_row + mine] : 0.0f;
#pragma unroll
  for (int i = 0; i < Tile::kSoftmaxRows; ++i) {
    const float of_row = __shfl_sync(kAllLanes, of_mine, i);
#pragma unroll
    for (int slot = 0; slot < Tile::kSlots; ++slot) e[i][slot] = expf(e[i][slot] - of_row);
  }
}

template <class Tile>
__global__ void __launch_bounds__(kTileThreads, kTileBlocks)
    additive_multi_weights_kernel(const AdditiveWeights p, const Index tiles, const Index items) {
  __shared__ WeightsShared<Tile> shared;
  const WorkItem& work = shared.work;
  for_each_work_item(items, [&](Index item) {
    if (threadIdx.x == 0) shared.work = work_item<Tile>(p, p.encoding, item, tiles);
    __syncthreads();
    if (work.keys == 0) return;
    int stage = 0;
    do {
      load_slice<Tile>(work, work.tile, 0, p.encoding.blocks, shared.stages[stage].rows);
      float e[Tile::kSoftmaxRows][Tile::kSlots];
      // 1. Scores.
      compute_scores<Tile>(
          work, p.encoding.blocks, shared.stages, &stage, [] {}, e);
      // 2. Weights.
      const ThreadPlace place = read_thread_place();
      to_weights<Tile>(work, place, p.lse, e);
      share<Tile>(place, e, shared.weights);
      store_rows<Tile>(work, shared.weights, nullptr, work.count, p.T, p.alpha + work.begin + work.done);
      __syncthreads();
      if (threadIdx.x == 0) shared.work.enter_tile(work.tile + 1, p.encoding.k.used);
      __syncthreads();
    } while (work.done < work.keys);
  });
}

template <class Tile>
cudaError_t launch(const AdditiveWeights& params, cudaStream_t stream) {
  const Index tiles = divide_up(params.Q, Tile::kRows), items = params.B * tiles * params.split.count;
  if (items == 0) return cudaSuccess;
  additive_multi_weights_kernel<Tile><<<blocks_for(items), kTileThreads, 0, stream>>>(params, tiles, items);
  return cudaGetLastError();
}

}  // namespace

cudaError_t launch_additive_multi_weights(const AdditiveWeights& params, cudaStream_t stream) {
  const ForwardTile tile = forward_tile(params.Q, params.T);
  if (tile.queries == 8) return launch<Tile<8, 32>>(params, stream);
  return tile.keys == 64 ? launch<Tile<32, 64>>(params, stream) : launch<Tile<32, 128>>(params, stream);
}

}  // namespace attn::kernels
