// SPDX-License-Identifier: Apache-2.0
//
//   L = sum_c exp(m_c - m) l_c    o = sum_c exp(m_c - m) o_c / L    alpha_j = exp(e_j - m) / L    lse = m + log L
//
// from the states (m_c, l_c), contexts o_c and scores e_j that the chunks of a row have left, m = max_c m_c. Chunks
// without a valid key have left nothing.
//
// A block takes a slice of one row: 128 columns of its context and 1024 of its weights; each reads all states of the
// row. Its warps share out the chunks, and each adds its own in their order.
//
// Bytes: 8 per chunk and slice, 4 D per chunk, s D; with weights (4 + s) T.
#include "kernels/device/grid.cuh"
#include "kernels/device/rows.cuh"
#include "kernels/device/softmax.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

// The state of a whole row, to all threads.
__device__ SoftmaxState merge_states(const SoftmaxState* states, Index chunks, float* scratch) {
  SoftmaxState mine = empty_state();
  for (Index c = threadIdx.x; c < chunks; c += kRowThreads) mine = merge(mine, states[c]);
  const float max = max_block<kRowWarps>(mine.max, scratch);
  return {max, sum_block<kRowWarps>(mine.sum * rescale(mine.max, max), scratch)};
}

template <class Storage>
__global__ void __launch_bounds__(kRowThreads, 4) merge_kernel(const Attention<Storage> p, const Index slices) {
  __shared__ RowScratch scratch;
  __shared__ float factors[kRowThreads];
  for (Index item = blockIdx.x; item < p.B * p.Q * slices; item += gridDim.x) {
    const Index row = item / slices, slice = item % slices, b = row / p.Q;
    const Index valid = Keys(p, b).valid, chunks = chunks_with_keys(valid, p.split);
    const SoftmaxState* const states = p.states + row * p.split.chunks;
    const SoftmaxState whole = merge_states(states, chunks, scratch[0]);
    const float sum = chunks == 0 ? 1.0f : divisor(whole.sum);
    if (slice == 0 && threadIdx.x == 0 && p.lse != nullptr)
      p.lse[row] = chunks == 0 ? whole.max : whole.max + logf(sum);

    const Index column = slice * kSweep;
    if (column < p.D) {
      const Rows<const float> contexts(p.contexts + row * p.split.chunks * p.D, p.D);
      float4 mine{};
      for (Index first = 0; first < chunks; first += kRowThreads) {
        const int count = static_cast<int>(min(chunks - first, Index{kRowThreads}));
        if (threadIdx.x < count) factors[threadIdx.x] = rescale(states[first + threadIdx.x].max, whole.max);
        __syncthreads();
#pragma unroll 4
        for (int c = warp_index(); c < count; c += kRowWarps)
          mine = add_multiple(factors[c], contexts.load(first + c, column + lane_index() * kPacket), mine);
        __syncthreads();
      }
      add_warps(mine, scratch, [&](int c, float total) {
        if (column + c < p.D) store(total / sum, p.o + row * p.D + column + c);
      });
    }
    if (p.weights == nullptr) continue;
    const Index end = min((slice + 1) * kSliceKeys, p.T);
    for (Index j = slice * kSliceKeys + threadIdx.x; j < end; j += kRowThreads)
      store(j < valid ? expf(p.scores[row * p.T + j] - shift_of(whole.max)) / sum : 0.0f, p.weights + row * p.T + j);
  }
}

}  // namespace

template <class Storage>
cudaError_t launch_merge(const Attention<Storage>& params, cudaStream_t stream) {
  const Index of_weights = params.weights == nullptr ? 0 : divide_up(params.T, kSliceKeys);
  const Index slices = std::max(divide_up(params.D, kSweep), of_weights);
  const Index items = params.B * params.Q * slices;
  if (items == 0) return cudaSuccess;
  merge_kernel<Storage><<<blocks_for(items), kRowThreads, 0, stream>>>(params, slices);
  return cudaGetLastError();
}

template cudaError_t launch_merge(const Attention<float>&, cudaStream_t);
template cudaError_t launch_merge(const Attention<__half>&, cudaStream_t);
template cudaError_t launch_merge(const Attention<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels
