// SPDX-License-Identifier: Apache-2.0
//
//   e_ij = sum_a v_a tanh(q_ia + k_ja)    alpha_ij = softmax_j(e_ij)    o_i = sum_j alpha_ij x_j
//
// with several queries per batch item: online softmax, all arithmetic in fp32.
//
// Grid and block: one block of 128 threads per (item, tile of 16 queries, split of the keys), or of 32 threads with
//   tiles of 4 where an item has no more queries. A block goes through its split in tiles of 128 keys. Eight lanes
//   share a query; each has a register tile of 16 of its keys. For the context, the warps share out the rows of x. A
//   split of one tile accumulates its context in registers, a longer one in the workspace. Where one tile of keys is
//   the whole row, the block writes o, weights and LSE; otherwise merge.cu does.
// Shared memory: 31 KB (4 queries: 23 KB), of which 21 KB (19 KB) hold slices of q, k and v first and partial contexts
//   later. Registers: at most 168 per thread, so that 12 warps fit on a multiprocessor.
// Bytes, s per element: for each tile of queries and tile of keys (fewer keys in a split's last), s A for each query,
//   each key and v, and s D for each key; for each query and split 4 D, and 8 D for each further tile of the split; 4 B
//   Q T for the scores where weights are wanted; the results once.
// Work: for each of B Q T A elements one addition, one tanh and one FMA; for each of B Q T D elements one FMA.
// Limit: the special functions of tanh.
#include "kernels/device/grid.cuh"
#include "kernels/device/pairs.cuh"
#include "kernels/device/query_tile.cuh"
#include "kernels/device/softmax.cuh"
#include "kernels/device/weighted_sums.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

template <int kWarps>
struct ForwardShared {
  static constexpr int kQueries = Slices<kWarps>::kQueries;
  union {
    Slices<kWarps> slices;
    typename WeightedSums<kQueries, kWarps>::Scratch scratch;
  };
  TileWeights<kQueries> weights;  // exponentials of the tile
  float factor[kQueries];         // of earlier partial contexts, or 1 / sum where the tile is the whole row
};

// The running softmax of one query. The eight lanes that share the query hold the same state.
struct RunningSoftmax {
  SoftmaxState state = empty_state();

  // Adds the scores of a tile with `count` keys, and replaces them by exp(e - maximum), or zero from `count` on.
  // Returns the factor by which earlier sums have to be rescaled.
  __device__ float add_tile(int count, float (&e)[kSlots]) {
    float max = state.max;
#pragma unroll
    for (int slot = 0; slot < kSlots; ++slot)
      if (key_index(slot) < count) max = fmaxf(max, e[slot]);
    max = max_lanes<kRowLanes>(max);
    float sum = 0;
#pragma unroll
    for (int slot = 0; slot < kSlots; ++slot) {
      e[slot] = key_index(slot) < count ? expf(e[slot] - shift_of(max)) : 0.0f;
      sum += e[slot];
    }
    const float factor = rescale(state.max, max);
    state = {max, fmaf(state.sum, factor, sum_lanes<kRowLanes>(sum))};
    return factor;
  }
};

// Scores of the tile of `count` keys that begins `done` keys into the split; also stored where weights are wanted and
// merge.cu makes them.
template <class Storage, int kWarps>
__device__ void compute_scores(const AdditiveForward<Storage>& p, const QueryTile& tile, Index done, int count,
                               Slices<kWarps>& slices, float (&e)[kSlots]) {
  const AttentionForward<Storage>& common = p.common;
  const Rows<const Storage> q(p.q + tile.first_row * p.A, p.A);
  if (count > 0)
    sum_pairs<AdditivePair>(q, tile.queries, Rows<const Storage>(p.k + (tile.first_key + done) * p.A, p.A), count, p.v,
                            slices, e);
  if (common.scores == nullptr || query_index() >= tile.queries) return;
  float* const row = common.scores + (tile.first_row + query_index()) * common.T + tile.begin + done;
#pragma unroll
  for (int slot = 0; slot < kSlots; ++slot)
    if (key_index(slot) < count) row[key_index(slot)] = e[slot];
}

// Publishes the exponentials and each query's factor to the block.
template <int kWarps>
__device__ void share_weights(int count, const float (&e)[kSlots], float factor, ForwardShared<kWarps>& shared) {
#pragma unroll
  for (int slot = 0; slot < kSlots; ++slot)
    if (key_index(slot) < count) shared.weights[key_index(slot)][query_index()] = e[slot];
  if (key_index(0) == 0) shared.factor[query_index()] = factor;
  __syncthreads();
}

// Contexts of all queries over the tile, 128 columns at a time: the results where the tile is the whole row, otherwise
// partial sums that each tile of the split is added to.
template <class Storage, int kWarps>
__device__ void add_contexts(const AttentionForward<Storage>& common, const QueryTile& tile, Index done, int count,
                             ForwardShared<kWarps>& shared) {
  const bool whole = common.states == nullptr;
  const Rows<const Storage> x(common.x + (tile.first_key + done) * common.D, common.D);
  for (Index column = 0; column < common.D; column += kWarpColumns) {
    WeightedSums<ForwardShared<kWarps>::kQueries, kWarps> context;
    context.clear();
    context.add(x, count, column, shared.weights);
    context.finish(shared.scratch, [&](int n, int c, float sum) {
      const Index d = column + c, row = tile.first_row + n;
      if (n >= tile.queries || d >= common.D) return;
      if (whole) {
        store(sum * shared.factor[n], common.o + row * common.D + d);
      } else {
        float* const partial = common.contexts + (row * common.split.count + tile.split) * common.D + d;
        *partial = done == 0 ? sum : fmaf(*partial, shared.factor[n], sum);
      }
    });
  }
}

// Weights of the thread's query, whose row is one tile of `count` keys and padding.
template <class Storage, int kWarps>
__device__ void store_weights(const AttentionForward<Storage>& common, const QueryTile& tile, int count, float factor,
                              const ForwardShared<kWarps>& shared) {
  if (common.weights == nullptr || query_index() >= tile.queries) return;
  Storage* const row = common.weights + (tile.first_row + query_index()) * common.T;
  for (Index j = key_index(0); j < common.T; j += kRowLanes)
    store(j < count ? shared.weights[j][query_index()] * factor : 0.0f, row + j);
}

// The split's softmax state, or the LSE where the split is the whole row.
template <class Storage>
__device__ void store_state(const AttentionForward<Storage>& common, const QueryTile& tile, SoftmaxState state) {
  if (key_index(0) != 0 || query_index() >= tile.queries) return;
  const Index row = tile.first_row + query_index();
  if (common.states != nullptr)
    common.states[row * common.split.count + tile.split] = state;
  else if (common.lse != nullptr)
    common.lse[row] = state.max + logf(tile.keys == 0 ? 0.0f : divisor(state.sum));
}

template <class Storage, int kWarps>
__global__ void __launch_bounds__(kWarps* kLanes, 12 / kWarps)
    additive_multi_forward_kernel(const AdditiveForward<Storage> p, const Index tiles) {
  __shared__ ForwardShared<kWarps> shared;
  const AttentionForward<Storage>& common = p.common;
  const bool whole = common.states == nullptr;

  for_each_work_item(common.B * tiles * common.split.count, [&](Index item) {
    const QueryTile tile(common, item, tiles, ForwardShared<kWarps>::kQueries);
    if (tile.keys == 0 && !whole) return;
    RunningSoftmax softmax;
    for (Index done = 0; done < tile.keys || done == 0; done += kTileKeys) {
      const int count = static_cast<int>(min(tile.keys - done, Index{kTileKeys}));
      // 1. Scores.
      float e[kSlots];
      compute_scores(p, tile, done, count, shared.slices, e);
      // 2. Online softmax.
      float factor = softmax.add_tile(count, e);
      if (whole) factor = tile.keys == 0 ? 0.0f : 1 / divisor(softmax.state.sum);
      share_weights(count, e, factor, shared);
      // 3. Contexts.
      add_contexts(common, tile, done, count, shared);
      // 4. Weights.
      if (whole) store_weights(common, tile, count, factor, shared);
    }
    // 5. Softmax state or LSE.
    store_state(common, tile, softmax.state);
    __syncthreads();
  });
}

template <class Storage, int kWarps>
cudaError_t launch(const AdditiveForward<Storage>& params, cudaStream_t stream) {
  const Index tiles = divide_up(params.common.Q, Slices<kWarps>::kQueries);
  const Index items = params.common.B * tiles * params.common.split.count;
  if (items == 0) return cudaSuccess;
  additive_multi_forward_kernel<Storage, kWarps><<<blocks_for(items), kWarps * kLanes, 0, stream>>>(params, tiles);
  return cudaGetLastError();
}

}  // namespace

template <class Storage>
cudaError_t launch_additive_multi_forward(const AdditiveForward<Storage>& params, cudaStream_t stream) {
  return params.common.Q <= kFewQueries ? launch<Storage, 1>(params, stream) : launch<Storage, 4>(params, stream);
}

template cudaError_t launch_additive_multi_forward(const AdditiveForward<float>&, cudaStream_t);
template cudaError_t launch_additive_multi_forward(const AdditiveForward<__half>&, cudaStream_t);
template cudaError_t launch_additive_multi_forward(const AdditiveForward<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels
