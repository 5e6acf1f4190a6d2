// SPDX-License-Identifier: Apache-2.0
//
//   e_ij = sum_a v_a tanh(q_ia + k_ja)    alpha_ij = softmax_j(e_ij)    o_i = sum_j alpha_ij x_j
//
// with several queries per batch item, from the encoded queries and keys that additive_encode.cu makes: online softmax,
// and the context on tensor cores. All arithmetic has the accuracy of fp32.
//
// Grid and block: one block of 128 threads per (item, tile of queries, split of the keys). A tile has 32 queries and 128
//   or 64 keys, or 8 queries and 32 keys (tune.h). A warp computes the scores of 8 queries with all keys of the tile.
//   With 32 queries, each warp has queries of its own and sums over all columns; with 8, the warps share out the columns
//   and then add their sums. For the context, each warp has 32 columns of x. A split of several tiles accumulates its
//   context in the workspace. Where one tile of keys is the whole row, the block writes o, weights and LSE; otherwise
//   merge.cu does.
// Shared memory: 22 to 47 KB: two buffers for slices of encoded rows, or of x, of which one is filled while the other is
//   read, and the exponentials of the tile. Registers: at most 128 (168 before sm_90), so that 16 (12) warps fit on
//   a multiprocessor.
// Bytes, s per element, for each tile of queries and tile of keys: 4 for each encoded element of their rows and each of
//   its factors, s D for each key; for each query and split 4 D, and 8 D for each further tile of the split; 4 B Q T for
//   the scores where weights are wanted; the results once.
// Work: for each of B Q T A elements, including those of incomplete tiles, 2.75 FMAs and a quarter of a reciprocal; for
//   each of B Q T D elements two TF32 products, or three if x is fp32.
// Limit: issue slots.
#include "kernels/device/context_tile.cuh"
#include "kernels/device/grid.cuh"
#include "kernels/device/score_pass.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

constexpr unsigned kTf32Mask = 0xffffe000;

template <class Storage, class Tile>
struct ForwardShared {
  union Stage {
    typename Tile::Slice rows;
    ValueSlice<Storage> values;
    float sums[Tile::kColumnWarps][kRowsAtOnce][Tile::kKeys];  // of warps that share out the columns
  };
  Stage stages[2];
  TileNumbers<Tile::kRows, Tile::kKeys> exponentials;
  SoftmaxState states[kTileThreads];  // each thread's own, but equal in all that share a query
  float factor[Tile::kRows];          // of earlier partial contexts, or 1 / sum where the tile is the whole row
  WorkItem work;
};

// Reduces each of kCount values over the lanes of a warp. The result of value i reaches lanes i * 32 / kCount and the
// 32 / kCount - 1 lanes that follow it.
template <int kCount, int kDistance = kLanes / 2, class Operation>
__device__ __forceinline__ float reduce_rows(const float (&values)[kCount], Operation operation) {
  if constexpr (kDistance == 0) {
    return values[0];
  } else if constexpr (kCount == 1) {
    const float one[1] = {operation(values[0], __shfl_xor_sync(kAllLanes, values[0], kDistance))};
    return reduce_rows<1, kDistance / 2>(one, operation);
  } else {
    constexpr int kHalf = kCount / 2;
    const bool upper = (lane_index() & kDistance) != 0;
    float half[kHalf];
#pragma unroll
    for (int i = 0; i < kHalf; ++i)
      half[i] = operation(upper ? values[i + kHalf] : values[i],
                          __shfl_xor_sync(kAllLanes, upper ? values[i] : values[i + kHalf], kDistance));
    return reduce_rows<kHalf, kDistance / 2>(half, operation);
  }
}

// Adds the tile's scores to the softmax states of the warp's queries and replaces them by exponentials. A lane has the
// state of query lane * kSoftmaxRows / 32. Returns the factor by which earlier sums have to be rescaled.
template <class Tile>
__device__ __forceinline__ float add_to_softmax(float (&e)[Tile::kSoftmaxRows][Tile::kSlots], SoftmaxState& stored) {
  const SoftmaxState state = stored;
  constexpr int kRows = Tile::kSoftmaxRows;
  float rows[kRows];
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
    rows[i] = e[i][0];
#pragma unroll
    for (int slot = 1; slot < Tile::kSlots; ++slot) rows[i] = fmaxf(rows[i], e[i][slot]);
  }
  const float max = fmaxf(state.max, reduce_rows(rows, [](float a, float b) { return fmaxf(a, b); }));
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
    const float shift = shift_of(__shfl_sync(kAllLanes, max, i * (kLanes / kRows)));
    rows[i] = 0;
#pragma unroll
    for (int slot = 0; slot < Tile::kSlots; ++slot) {
      e[i][slot] = expf(e[i][slot] - shift);
      rows[i] += e[i][slot];
    }
  }
  const float factor = rescale(state.max, max);
  stored = {max, fmaf(state.sum, factor, reduce_rows(rows, [](float a, float b) { return a + b; }))};
  return factor;
}

// 1 / x for normal x: the approximation and a Newton step. A division would call a function, which costs registers.
__device__ inline float inverse(float x) {
  const float r = reciprocal(x);
  return fmaf(fmaf(-x, r, 1.0f), r, r);
}

// The split's softmax states, or the LSE where the split is the whole row.
template <class Storage, class Tile>
__device__ void store_states(const AttentionForward<Storage>& common, const WorkItem& work, SoftmaxState state) {
  constexpr int kRowLanes = kLanes / Tile::kSoftmaxRows;
  const ThreadPlace place = read_thread_place();
  const int query = place.warp * Tile::kSoftmaxRows + place.lane / kRowLanes;
  if (place.lane % kRowLanes != 0 || query >= work.queries) return;
  const Index row = work.first_row + query;
  if (common.states != nullptr)
    common.states[row * common.split.count + work.split] = state;
  else if (common.lse != nullptr)
    common.lse[row] = state.max + logf(work.keys == 0 ? 0.0f : divisor(state.sum));
}

// Stores the contexts of 128 columns: the results where the tile is the whole row, otherwise partial sums, to which each
// further tile of the split is added.
template <class Storage, class Tile>
__device__ __forceinline__ void store_contexts(const AttentionForward<Storage>& common, bool first_tile,
                                               ThreadPlace place, Index column, const ContextTile<Tile::kRows>& context,
                                               const ForwardShared<Storage, Tile>& shared) {
  using Context = ContextTile<Tile::kRows>;
  const WorkItem& work = shared.work;
#pragma unroll
  for (int r = 0; r < Context::kThreadRows; ++r) {
    const int query = Context::row(place, r);
    if (query >= work.queries) continue;
    const float factor = shared.factor[query];
    const Index row = work.first_row + query;
#pragma unroll
    for (int c = 0; c < Context::kThreadColumns; c += kVecWidth) {
      const float* const sums = &context.sums[r][c];
      const float4 sum = make_float4(sums[0], sums[1], sums[2], sums[3]);
      if (common.states == nullptr) {
        Rows<Storage>(common.o, common.D).store(row, column + c, factor * sum);
      } else {
        const Index at = row * common.split.count + work.split;
        const float4 before = first_tile ? float4{} : Rows<const float>(common.contexts, common.D).load(at, column + c);
        Rows<float>(common.contexts, common.D).store(at, column + c, add_multiple(factor, before, sum));
      }
    }
  }
}

// Everything that the block computes for one work item.
template <class Storage, class Tile>
__device__ __forceinline__ void attend(const AdditiveForward<Storage>& p, unsigned tf32_mask,
                                       ForwardShared<Storage, Tile>& shared) {
  using Context = ContextTile<Tile::kRows>;
  constexpr int kValueKeys = ValueSlice<Storage>::kKeys, kRowLanes = kLanes / Tile::kSoftmaxRows;
  const AttentionForward<Storage>& common = p.common;
  const WorkItem& work = shared.work;
  if (work.keys == 0 && common.states != nullptr) return;

  const int blocks = p.encoding.blocks;
  int stage = 0;  // the one that is filled next
  const auto load_rows = [&](int tile) { load_slice<Tile>(work, tile, 0, blocks, shared.stages[stage].rows); };
  const auto load_values = [&](int key, int slice) {
    shared.stages[stage].values.template load<kTileThreads>(Rows<const Storage>(common.x, common.D),
                                                            work.first_value + work.done + key, work.count - key,
                                                            Index{slice} * kContextColumns);
  };

  shared.states[read_thread_index()] = empty_state();
  do {
    // Later tiles have arrived by now, except where the copies of x do not alternate with those of encoded rows.
    if (work.count > 0 && (work.tile == 0 || !kHasTf32Products)) load_rows(work.tile);
    float e[Tile::kSoftmaxRows][Tile::kSlots];
    // 1. Scores. The first slice of x arrives while the last one of encoded columns is read.
    compute_scores<Tile>(
        work, blocks, shared.stages, &stage,
        [&] {
          if (kHasTf32Products) load_values(0, 0);
        },
        e);
    const ThreadPlace place = read_thread_place();
    if (common.scores != nullptr) {
      share<Tile>(place, e, shared.exponentials);
      store_rows<Tile>(work, shared.exponentials, nullptr, work.count, common.T,
                       common.scores + work.begin + work.done);
      __syncwarp();
    }
    // 2. Online softmax.
    float factor = add_to_softmax<Tile>(e, shared.states[read_thread_index()]);
    if (common.states == nullptr)
      factor = work.keys == 0 ? 0.0f : inverse(divisor(shared.states[read_thread_index()].sum));
    if (place.lane % kRowLanes == 0) shared.factor[place.warp * Tile::kSoftmaxRows + place.lane / kRowLanes] = factor;
    share<Tile>(place, e, shared.exponentials);
    if (common.states == nullptr && common.weights != nullptr)
      store_rows<Tile>(work, shared.exponentials, shared.factor, common.T, common.T, common.weights);
      // 3. Contexts, 128 columns at a time.
#pragma unroll 1
    for (int slice = 0; Index{slice} * kContextColumns < common.D; ++slice) {
      Context context;
      context.clear();
#pragma unroll 1
      for (int key = 0; key < work.count && kHasTf32Products; key += kValueKeys) {
        wait_for_copies();
        __syncthreads();
        const int ready = stage;
        stage ^= 1;
        if (key + kValueKeys < work.count)
          load_values(key + kValueKeys, slice);
        else if (Index{slice + 1} * kContextColumns < common.D)
          load_values(0, slice + 1);
        else if (work.done + work.count < work.keys)
          load_rows(work.tile + 1);
        context.add(read_thread_place(), shared.exponentials, key, shared.stages[ready].values, tf32_mask);
      }
      if (!kHasTf32Products || work.count == 0) __syncthreads();
      const ThreadPlace place = read_thread_place();
      const Index column = Index{slice} * kContextColumns + Context::column(place);
      if (!kHasTf32Products || !context.is_finite()) {
        context.clear();
        context.add_exactly(place, shared.exponentials, Rows<const Storage>(common.x, common.D),
                            work.first_value + work.done, work.count, column);
      }
      store_contexts<Storage, Tile>(common, work.tile == 0, place, column, context, shared);
    }
    __syncthreads();
    if (threadIdx.x == 0) shared.work.enter_tile(work.tile + 1, p.encoding.k.used);
    __syncthreads();
  } while (work.done < work.keys);
  // 4. Softmax states or LSE.
  store_states<Storage, Tile>(common, work, shared.states[read_thread_index()]);
}

template <class Storage, class Tile>
__global__ void __launch_bounds__(kTileThreads, kTileBlocks)
    additive_multi_forward_kernel(const AdditiveForward<Storage> p, const Index tiles, const Index items,
                                  const unsigned tf32_mask) {
  __shared__ ForwardShared<Storage, Tile> shared;
  Index item = blockIdx.x;
  while (item < items) {
    if (threadIdx.x == 0) shared.work = work_item<Tile>(p.common, p.encoding, item, tiles);
    __syncthreads();
    attend(p, tf32_mask, shared);
    item = shared.work.item + gridDim.x;  // not from a register, which would have been held all the time
    __syncthreads();
  }
}

template <class Storage, class Tile>
cudaError_t launch(const AdditiveForward<Storage>& params, cudaStream_t stream) {
  const Index tiles = divide_up(params.common.Q, Tile::kRows);
  const Index items = params.common.B * tiles * params.common.split.count;
  if (items == 0) return cudaSuccess;
  additive_multi_forward_kernel<Storage, Tile>
      <<<blocks_for(items), kTileThreads, 0, stream>>>(params, tiles, items, kTf32Mask);
  return cudaGetLastError();
}

}  // namespace

template <class Storage>
cudaError_t launch_additive_multi_forward(const AdditiveForward<Storage>& params, cudaStream_t stream) {
  const ForwardTile tile = forward_tile(params.common.Q, params.common.T);
  if (tile.queries == 8) return launch<Storage, Tile<8, 32>>(params, stream);
  return tile.keys == 64 ? launch<Storage, Tile<32, 64>>(params, stream)
                         : launch<Storage, Tile<32, 128>>(params, stream);
}

template cudaError_t launch_additive_multi_forward(const AdditiveForward<float>&, cudaStream_t);
template cudaError_t launch_additive_multi_forward(const AdditiveForward<__half>&, cudaStream_t);
template cudaError_t launch_additive_multi_forward(const AdditiveForward<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels
