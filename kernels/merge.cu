// SPDX-License-Identifier: Apache-2.0
//
//   m = max_c m_c    L = sum_c exp(m_c - m) l_c    o = sum_c exp(m_c - m) o_c / L    alpha_j = exp(e_j - m) / L
//   LSE = m + log L
//
// from the softmax states (m_c, l_c), partial contexts o_c and scores e_j of a row's splits. Splits without a valid key
// are skipped; their part of the workspace was never written.
//
// Grid and block: one block of 256 threads per (row, slice): 128 columns of the context and 1024 weights. Every block
//   merges the states of its row. Its warps share out the splits, and each adds its own in their order.
// Shared memory: 5 KB. Registers: at most 64 per thread, so that four blocks fit on a multiprocessor.
// Bytes, s per element, for each row: 8 for each split and slice, 4 D for each split, s D; (4 + s) T for weights.
// Work: one FMA for each element of a partial context, one exp for each weight and split.
// Limit: memory bandwidth; for short rows the latency of the launch.
#include "kernels/device/grid.cuh"
#include "kernels/device/rows.cuh"
#include "kernels/device/softmax.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

// The softmax state of a whole row, to all threads. `states` [splits].
__device__ SoftmaxState merge_states(const SoftmaxState* states, Index splits, float* scratch) {
  SoftmaxState mine = empty_state();
  for (Index c = threadIdx.x; c < splits; c += kRowThreads) mine = merge(mine, states[c]);
  const float max = max_block<kRowWarps>(mine.max, scratch);
  return {max, sum_block<kRowWarps>(mine.sum * rescale(mine.max, max), scratch)};
}

// The lane's vec4 of the context at `column`: the warp's share of the splits, each rescaled to the maximum `max`.
// `states` [splits] and `contexts` [splits, D] are those of the row; `factors` [kRowThreads] is shared memory.
__device__ float4 sum_contexts(const SoftmaxState* states, Rows<const float> contexts, Index splits, Index column,
                               float max, float* factors) {
  float4 mine{};
  for (Index first = 0; first < splits; first += kRowThreads) {
    const int count = static_cast<int>(min(splits - first, Index{kRowThreads}));
    if (threadIdx.x < count) factors[threadIdx.x] = rescale(states[first + threadIdx.x].max, max);
    __syncthreads();
#pragma unroll 4
    for (int c = warp_index(); c < count; c += kRowWarps)
      mine = add_multiple(factors[c], contexts.load(first + c, column + lane_index() * kVecWidth), mine);
    __syncthreads();
  }
  return mine;
}

template <class Storage>
__global__ void __launch_bounds__(kRowThreads, 4) merge_kernel(const AttentionForward<Storage> p, const Index slices) {
  __shared__ RowScratch scratch;
  __shared__ float factors[kRowThreads];
  for_each_work_item(p.B * p.Q * slices, [&](Index item) {
    const Index row = item / slices, slice = item % slices, b = row / p.Q;
    // 1. State of the row, and its LSE.
    const Index valid = ItemKeys(p, b).valid, splits = splits_with_keys(valid, p.split);
    const SoftmaxState* const states = p.states + row * p.split.count;
    const SoftmaxState whole = merge_states(states, splits, scratch[0]);
    const float sum = splits == 0 ? 1.0f : divisor(whole.sum);
    if (slice == 0 && threadIdx.x == 0 && p.lse != nullptr)
      p.lse[row] = splits == 0 ? whole.max : whole.max + logf(sum);
    // 2. Context.
    const Index column = slice * kWarpColumns;
    if (column < p.D) {
      const Rows<const float> contexts(p.contexts + row * p.split.count * p.D, p.D);
      add_warps(sum_contexts(states, contexts, splits, column, whole.max, factors), scratch, [&](int c, float total) {
        if (column + c < p.D) store(total / sum, p.o + row * p.D + column + c);
      });
    }
    // 3. Weights.
    if (p.weights == nullptr) return;
    const Index end = min((slice + 1) * kSliceKeys, p.T);
    for (Index j = slice * kSliceKeys + threadIdx.x; j < end; j += kRowThreads)
      store(j < valid ? expf(p.scores[row * p.T + j] - shift_of(whole.max)) / sum : 0.0f, p.weights + row * p.T + j);
  });
}

}  // namespace

template <class Storage>
cudaError_t launch_merge(const AttentionForward<Storage>& params, cudaStream_t stream) {
  const Index of_weights = params.weights == nullptr ? 0 : divide_up(params.T, kSliceKeys);
  const Index slices = std::max(divide_up(params.D, kWarpColumns), of_weights);
  const Index items = params.B * params.Q * slices;
  if (items == 0) return cudaSuccess;
  merge_kernel<Storage><<<blocks_for(items), kRowThreads, 0, stream>>>(params, slices);
  return cudaGetLastError();
}

template cudaError_t launch_merge(const AttentionForward<float>&, cudaStream_t);
template cudaError_t launch_merge(const AttentionForward<__half>&, cudaStream_t);
template cudaError_t launch_merge(const AttentionForward<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels
