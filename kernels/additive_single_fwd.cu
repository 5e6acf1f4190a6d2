// SPDX-License-Identifier: Apache-2.0
//
//   e_j = sum_a v_a tanh(q_a + k_ja)    alpha_j = softmax_j(e_j)    o = sum_j alpha_j x_j
//
// with one query per batch item. fp32 throughout; the largest score of a chunk is subtracted before exp.
//
// A block takes one chunk of keys of one item: its warps go over the rows of k and leave the scores in shared memory,
// the block makes exponentials of them, and the warps go over the rows of x. One chunk: the block writes o, weights
// and lse. Several: it writes the sums of its chunk and, where weights are wanted, its scores; merge.cu does the rest.
//
// Bytes, s per element: s B (T (A + D) + D) and, once per chunk, s B (2 A); with weights s B T more. Cut: 4 B D per
// chunk for the partial context instead of o, and 4 B T for the scores instead of the weights.
#include "kernels/device/chunk.cuh"
#include "kernels/device/grid.cuh"
#include "kernels/device/rows.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

template <class Storage>
__global__ void __launch_bounds__(kRowThreads, 4) additive_single_forward_kernel(const AdditiveForward<Storage> p) {
  extern __shared__ float e[];  // [chunk_keys], then exp(e - largest)
  __shared__ RowScratch scratch;
  const Attention<Storage>& to = p.to;
  const int thread = static_cast<int>(threadIdx.x);

  for (Index item = blockIdx.x; item < to.B * to.split.chunks; item += gridDim.x) {
    const Chunk chunk(to, item);
    if (chunk.count == 0 && to.states != nullptr) continue;

    // 1. Scores.
    reduce_rows(Rows<const Storage>(p.k + chunk.row * p.A, p.A), chunk.count,
                AdditiveTerm<Storage>(p.q + chunk.b * p.A, p.v, p.A), scratch, e);
    __syncthreads();

    // 2. Exponentials and their sum.
    SoftmaxState state = empty_state();
    for (int j = thread; j < chunk.count; j += kRowThreads) state.max = fmaxf(state.max, e[j]);
    state.max = max_block<kRowWarps>(state.max, scratch[0]);
    for (int j = thread; j < chunk.count; j += kRowThreads) {
      if (to.scores != nullptr) to.scores[chunk.place + j] = e[j];
      e[j] = expf(e[j] - shift_of(state.max));
      state.sum += e[j];
    }
    state.sum = sum_block<kRowWarps>(state.sum, scratch[0]);

    // 3. Context and weights.
    const ChunkOutput<Storage> output(to, chunk, state);
    output.rest(e);
    combine_rows(Rows<const Storage>(to.x + chunk.row * to.D, to.D), chunk.count, e, scratch,
                 [&](Index d, float sum) { output.context(d, sum); });
  }
}

}  // namespace

template <class Storage>
cudaError_t launch_additive_single_forward(const AdditiveForward<Storage>& params, cudaStream_t stream) {
  const Index items = params.to.B * params.to.split.chunks;
  if (items == 0) return cudaSuccess;
  const auto shared = static_cast<std::size_t>(params.to.split.chunk_keys) * sizeof(float);
  additive_single_forward_kernel<Storage><<<blocks_for(items), kRowThreads, shared, stream>>>(params);
  return cudaGetLastError();
}

template cudaError_t launch_additive_single_forward(const AdditiveForward<float>&, cudaStream_t);
template cudaError_t launch_additive_single_forward(const AdditiveForward<__half>&, cudaStream_t);
template cudaError_t launch_additive_single_forward(const AdditiveForward<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels
