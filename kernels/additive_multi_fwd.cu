// SPDX-License-Identifier: Apache-2.0
//
//   e_ij = sum_a v_a tanh(q_ia + k_ja)    alpha_ij = softmax_j(e_ij)    o_i = sum_j alpha_ij x_j
//
// with several queries per batch item. fp32 throughout, with a running maximum.
//
// A block takes a tile of queries, 16 or 4, over one chunk of keys of one item, 128 keys at a time: scores in
// registers, a row of the tile in eight lanes; exponentials in shared memory; then x, row by row, for all queries of
// the tile. A chunk of one tile of keys keeps its context in registers, a longer one adds to it in the workspace. Where
// one tile is all there is, the block writes o, weights and lse, otherwise merge.cu does the rest.
//
// Bound by tanh: B Q T A of them. Bytes, s per element, for each tile of queries and of 128 keys (fewer in a chunk's
// last): s A of each query and key and of v, s D of each key; 4 D for each query and chunk, and twice that for each
// further tile of the chunk; 4 B Q T for the scores where weights are wanted.
#include "kernels/device/grid.cuh"
#include "kernels/device/mix.cuh"
#include "kernels/device/pairs.cuh"
#include "kernels/device/softmax.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

template <int kWarps>
struct ForwardShared {
  static constexpr int kQueries = Slices<kWarps>::kQueries;
  union {
    Slices<kWarps> slices;
    typename MixSums<kQueries, kWarps>::Scratch scratch;
  };
  MixWeights<kQueries> weights;
  float factor[kQueries];  // for what was summed before, or 1 / sum of the row
};

// One query of a tile over one tile of keys; its eight lanes hold the same state.
struct TileSoftmax {
  SoftmaxState state = empty_state();

  // Replaces scores by exp(e - largest), zero behind `count`; returns the factor for what was summed before.
  __device__ float take(int count, float (&e)[kSlots]) {
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

template <class Storage, int kWarps>
__global__ void __launch_bounds__(kWarps* kLanes, 12 / kWarps)
    additive_multi_forward_kernel(const AdditiveForward<Storage> p, const Index tiles) {
  constexpr int kQueries = Slices<kWarps>::kQueries;
  __shared__ ForwardShared<kWarps> shared;
  const Attention<Storage>& to = p.to;
  const bool whole = to.states == nullptr;
  const int query = query_index();

  for (Index item = blockIdx.x; item < to.B * tiles * to.split.chunks; item += gridDim.x) {
    const Index chunk = item % to.split.chunks, tile = item / to.split.chunks % tiles;
    const Index b = item / to.split.chunks / tiles, begin = chunk * to.split.chunk_keys;
    const Keys of_item(to, b);
    const Index keys = keys_from(begin, of_item.valid, to.split.chunk_keys);
    if (keys == 0 && !whole) continue;
    const Index first_row = b * to.Q + tile * kQueries, row = first_row + query;
    const int queries = static_cast<int>(min(to.Q - tile * kQueries, Index{kQueries}));
    const Rows<const Storage> q(p.q + first_row * p.A, p.A);
    TileSoftmax softmax;

    for (Index done = 0; done < keys || done == 0; done += kTileKeys) {
      const int count = static_cast<int>(min(keys - done, Index{kTileKeys}));
      const Index first_key = of_item.first + begin + done;

      // 1. Scores, then exponentials.
      float e[kSlots];
      if (count > 0)
        sum_pairs<AdditivePair>(q, queries, Rows<const Storage>(p.k + first_key * p.A, p.A), count, p.v, shared.slices,
                                e);
      if (to.scores != nullptr && query < queries) {
#pragma unroll
        for (int slot = 0; slot < kSlots; ++slot)
          if (key_index(slot) < count) to.scores[row * to.T + begin + done + key_index(slot)] = e[slot];
      }
      float factor = softmax.take(count, e);
      if (whole) factor = keys == 0 ? 0.0f : 1 / divisor(softmax.state.sum);
#pragma unroll
      for (int slot = 0; slot < kSlots; ++slot)
        if (key_index(slot) < count) shared.weights[key_index(slot)][query] = e[slot];
      if (key_index(0) == 0) shared.factor[query] = factor;
      __syncthreads();

      // 2. Context, 128 columns at a time.
      const Rows<const Storage> x(to.x + first_key * to.D, to.D);
      for (Index column = 0; column < to.D; column += kMixColumns) {
        MixSums<kQueries, kWarps> context;
        context.clear();
        context.add(x, count, column, shared.weights);
        context.finish(shared.scratch, [&](int n, int c, float sum) {
          const Index d = column + c;
          if (n >= queries || d >= to.D) return;
          if (whole) {
            store(sum * shared.factor[n], to.o + (first_row + n) * to.D + d);
          } else {
            float* const part = to.contexts + ((first_row + n) * to.split.chunks + chunk) * to.D + d;
            *part = done == 0 ? sum : fmaf(*part, shared.factor[n], sum);
          }
        });
      }

      // 3. Weights of a row that is whole.
      if (whole && to.weights != nullptr && query < queries) {
        for (Index j = key_index(0); j < to.T; j += kRowLanes)
          store(j < count ? shared.weights[j][query] * factor : 0.0f, to.weights + row * to.T + j);
      }
    }
    if (key_index(0) == 0 && query < queries) {
      if (!whole) to.states[row * to.split.chunks + chunk] = softmax.state;
      if (whole && to.lse != nullptr)
        to.lse[row] = softmax.state.max + logf(keys == 0 ? 0.0f : divisor(softmax.state.sum));
    }
    __syncthreads();
  }
}

template <class Storage, int kWarps>
cudaError_t launch(const AdditiveForward<Storage>& params, cudaStream_t stream) {
  const Index tiles = divide_up(params.to.Q, Slices<kWarps>::kQueries);
  const Index items = params.to.B * tiles * params.to.split.chunks;
  if (items == 0) return cudaSuccess;
  additive_multi_forward_kernel<Storage, kWarps><<<blocks_for(items), kWarps * kLanes, 0, stream>>>(params, tiles);
  return cudaGetLastError();
}

}  // namespace

template <class Storage>
cudaError_t launch_additive_multi_forward(const AdditiveForward<Storage>& params, cudaStream_t stream) {
  return params.to.Q <= kFewQueries ? launch<Storage, 1>(params, stream) : launch<Storage, 4>(params, stream);
}

template cudaError_t launch_additive_multi_forward(const AdditiveForward<float>&, cudaStream_t);
template cudaError_t launch_additive_multi_forward(const AdditiveForward<__half>&, cudaStream_t);
template cudaError_t launch_additive_multi_forward(const AdditiveForward<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels
