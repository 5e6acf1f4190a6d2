// SPDX-License-Identifier: Apache-2.0
//
//   e_j = sum_a v_a tanh(q_a + k_ja)    alpha_j = softmax_j(e_j)    o = sum_j alpha_j x_j
//
// with one query per batch item, all arithmetic in fp32. The maximum of the split is subtracted before exp.
//
// Grid and block: one block of 256 threads per (item, split of the keys). Eight lanes share a row of k, then a row of
//   x, in slices of 128 columns. Their columns of q and v stay in registers while the rows pass, and the next row is
//   loaded while one is used: 16 bytes at a time where rows are aligned, with 2 to 4 loads of a lane in flight. Where
//   the split is the whole row, the block writes o, weights and LSE. Otherwise it writes its softmax state, its partial
//   context and, where weights are wanted, its scores, and merge.cu does the rest.
// Shared memory: 4 KB, and 4 bytes for each key of the split (at most 1024). Registers: at most 128 per thread in fp32
//   and 80 at 16 bits, so that two or three blocks fit on a multiprocessor.
// Bytes, s per element: s B T (A + D) for k and x, s B D for o; for each split 2 s A for q and v; s B T for weights.
//   Where the row is split: 4 B D per split for the partial context instead of o, 4 B T for scores instead of weights.
// Work: for each of B T A elements one addition, one tanh and one FMA; for each of B T D elements one FMA. With aligned
//   rows an element of k takes 9.1 issue slots in fp32 and 9.9 at 16 bits (sm_90), of 128 per clock.
// Limit: memory bandwidth. At 3.35 TB/s, 132 multiprocessors at 1.7 GHz receive 3.7 elements per clock each in fp32 and
//   7.5 at 16 bits, counting those of x. Special functions allow 8 elements of k, and issue 13.
#include "kernels/device/grid.cuh"
#include "kernels/device/row_sums.cuh"
#include "kernels/device/split_keys.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

// Replaces the split's scores by exp(e - maximum). Stores the scores where merge.cu makes weights of them.
template <class Storage>
__device__ SoftmaxState make_exponentials(const AttentionForward<Storage>& common, const SplitKeys& keys, float* e,
                                          float* scratch) {
  const int thread = static_cast<int>(threadIdx.x);
  SoftmaxState state = empty_state();
  for (int j = thread; j < keys.count; j += kRowThreads) state.max = fmaxf(state.max, e[j]);
  state.max = max_block<kRowWarps>(state.max, scratch);
  for (int j = thread; j < keys.count; j += kRowThreads) {
    if (common.scores != nullptr) common.scores[keys.offset + j] = e[j];
    e[j] = expf(e[j] - shift_of(state.max));
    state.sum += e[j];
  }
  state.sum = sum_block<kRowWarps>(state.sum, scratch);
  return state;
}

template <class Storage>
__global__ void __launch_bounds__(kRowThreads, kSumBlocks<Storage>)
    additive_single_forward_kernel(const AdditiveForward<Storage> p) {
  extern __shared__ float e[];  // [keys of a split]: scores, then exponentials
  __shared__ RowScratch scratch;
  const AttentionForward<Storage>& common = p.common;

  for_each_work_item(common.B * common.split.count, [&](Index item) {
    const SplitKeys keys(common, item);
    if (keys.count == 0 && common.states != nullptr) return;
    // 1. Scores.
    reduce_rows(Rows<const Storage>(p.k + keys.row * p.A, p.A), keys.count,
                AdditiveTerm<Storage>{{p.q + keys.b * p.A, p.v}}, scratch, e);
    __syncthreads();
    // 2. Softmax.
    const SplitOutput<Storage> output(common, keys, make_exponentials(common, keys, e, scratch[0]));
    output.store_softmax(e);
    // 3. Context.
    combine_rows(Rows<const Storage>(common.x + keys.row * common.D, common.D), keys.count, e, scratch,
                 [&](Index d, float sum) { output.store_context(d, sum); });
  });
}

}  // namespace

template <class Storage>
cudaError_t launch_additive_single_forward(const AdditiveForward<Storage>& params, cudaStream_t stream) {
  const Index items = params.common.B * params.common.split.count;
  if (items == 0) return cudaSuccess;
  const auto shared = static_cast<std::size_t>(params.common.split.keys) * sizeof(float);
  additive_single_forward_kernel<Storage><<<blocks_for(items), kRowThreads, shared, stream>>>(params);
  return cudaGetLastError();
}

template cudaError_t launch_additive_single_forward(const AdditiveForward<float>&, cudaStream_t);
template cudaError_t launch_additive_single_forward(const AdditiveForward<__half>&, cudaStream_t);
template cudaError_t launch_additive_single_forward(const AdditiveForward<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels
