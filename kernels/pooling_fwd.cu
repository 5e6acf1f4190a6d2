// SPDX-License-Identifier: Apache-2.0
//
//   e_t = tanh(x_t . w + b_t)    alpha_t = softmax_t(e_t)    o = sum_t alpha_t x_t
//
// with all arithmetic in fp32. |e| <= 1, so exp(e) needs no maximum: the maximum of every softmax state is 0.
//
// Grid and block: one block of 256 threads per (item, split of the positions). A block copies tiles of rows to shared
//   memory; a warp reduces a row to its score, then every thread adds up its columns in registers. Where the split is
//   the whole row, the block writes o and weights, otherwise merge.cu does. Rows of more than 2048 elements do not go
//   through shared memory: a second kernel reads them twice.
// Shared memory: 20 KB for the tile, 4 D for w, 4 bytes for each position of the split (at most 1024). Registers: at
//   most 128 per thread, so that two blocks fit on a multiprocessor.
// Bytes, s per element: s B (T D + T + D) for x, b and o; for each split s D for w; s B T for weights. Where the row is
//   split: 4 B D per split for the partial context instead of o, 4 B T for scores instead of weights.
// Work: two FMAs for each of B T D elements; one tanh and one exp for each of B T positions.
// Limit: memory bandwidth.
#include "kernels/device/grid.cuh"
#include "kernels/device/row_sums.cuh"
#include "kernels/device/row_tile.cuh"
#include "kernels/device/split_keys.cuh"
#include "kernels/device/tanh.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

// Replaces the products x_t . w of `count` positions, from `first` of the split on, by exp(e). `e` [keys of a split] is
// shared memory. Returns the thread's share of their sum.
template <class Storage>
__device__ float make_exponentials(const PoolingForward<Storage>& p, const SplitKeys& keys, int first, int count,
                                   float* e) {
  float sum = 0;
  for (int j = first + static_cast<int>(threadIdx.x); j < first + count; j += kRowThreads) {
    const float bias = p.b == nullptr ? 0.0f : to_float(p.b[keys.begin + j]);
    const float score = tanh_and_slope(e[j] + bias).value;
    if (p.common.scores != nullptr) p.common.scores[keys.offset + j] = score;
    e[j] = expf(score);
    sum += e[j];
  }
  return sum;
}

template <class Storage>
__global__ void __launch_bounds__(kRowThreads, 2)
    pooling_forward_kernel(const PoolingForward<Storage> p, const int stride, const int rows) {
  extern __shared__ float4 memory[];
  __shared__ float scratch[kRowWarps];
  const AttentionForward<Storage>& common = p.common;
  const Columns columns(stride);
  const RowTile w{reinterpret_cast<float*>(memory), stride}, tile{w.memory + stride, stride};
  float* const e = tile.memory + rows * stride;  // [keys of a split]
  w.fill(columns, Rows<const Storage>(p.w, common.D), 0, common.T > 0 ? 1 : 0);

  for_each_work_item(common.B * common.split.count, [&](Index item) {
    const SplitKeys keys(common, item);
    if (keys.count == 0 && common.states != nullptr) return;
    const Rows<const Storage> x(common.x + keys.row * common.D, common.D);
    TileSums<1> context;
    float sum = 0;
    for (int first = 0; first < keys.count; first += rows) {
      // 1. A tile of rows.
      const int count = min(rows, keys.count - first);
      tile.fill(columns, x, first, count);
      __syncthreads();
      // 2. Their scores.
      for (int r = warp_index(); r < count; r += kRowWarps) {
        const float product = tile.dot_row(r, w.row(0));
        if (lane_index() == 0) e[first + r] = product;
      }
      __syncthreads();
      sum += make_exponentials(p, keys, first, count, e);
      __syncthreads();
      // 3. Their share of the context.
      context.add(columns, tile, count, {e + first});
    }
    // 4. Results.
    const SplitOutput<Storage> output(common, keys, {0, sum_block<kRowWarps>(sum, scratch)});
    output.store_softmax(e);
    context.finish(columns, tile, [&](int, int column, float total) {
      if (column < common.D) output.store_context(column, total);
    });
  });
}

template <class Storage>
__global__ void __launch_bounds__(kRowThreads, 2) wide_pooling_forward_kernel(const PoolingForward<Storage> p) {
  extern __shared__ float e[];  // [keys of a split]
  __shared__ RowScratch scratch;
  const AttentionForward<Storage>& common = p.common;
  for_each_work_item(common.B * common.split.count, [&](Index item) {
    const SplitKeys keys(common, item);
    if (keys.count == 0 && common.states != nullptr) return;
    const Rows<const Storage> x(common.x + keys.row * common.D, common.D);
    // 1. Scores.
    reduce_rows(x, keys.count, DotTerm<Storage>{{p.w}}, scratch, e);
    __syncthreads();
    const float sum = make_exponentials(p, keys, 0, keys.count, e);
    // 2. Results.
    const SplitOutput<Storage> output(common, keys, {0, sum_block<kRowWarps>(sum, scratch[0])});
    output.store_softmax(e);
    combine_rows(x, keys.count, e, scratch, [&](Index d, float total) { output.store_context(d, total); });
  });
}

}  // namespace

template <class Storage>
cudaError_t launch_pooling_forward(const PoolingForward<Storage>& params, cudaStream_t stream) {
  const Index items = params.common.B * params.common.split.count, D = params.common.D;
  if (items == 0) return cudaSuccess;
  const auto scores = static_cast<std::size_t>(params.common.split.keys) * sizeof(float);
  if (D > kTileWidth) {
    wide_pooling_forward_kernel<Storage><<<blocks_for(items), kRowThreads, scores, stream>>>(params);
  } else {
    const auto tile = static_cast<std::size_t>((1 + tile_rows(D)) * tile_stride(D)) * sizeof(float);
    pooling_forward_kernel<Storage>
        <<<blocks_for(items), kRowThreads, tile + scores, stream>>>(params, tile_stride(D), tile_rows(D));
  }
  return cudaGetLastError();
}

template cudaError_t launch_pooling_forward(const PoolingForward<float>&, cudaStream_t);
template cudaError_t launch_pooling_forward(const PoolingForward<__half>&, cudaStream_t);
template cudaError_t launch_pooling_forward(const PoolingForward<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels
