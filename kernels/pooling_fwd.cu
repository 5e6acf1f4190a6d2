// SPDX-License-Identifier: Apache-2.0
//
//   e_t = tanh(x_t . w + b_t)    alpha_t = softmax_t(e_t)    o = sum_t alpha_t x_t
//
// fp32 throughout. As |e| <= 1, exp(e) needs no maximum: the state of a chunk has 0 in its place.
//
// A block takes one chunk of positions of one item, a tile of rows at a time: rows to shared memory, e of each by a
// warp, then the rows added up by all threads, in registers. One chunk: the block writes o and weights. Several:
// merge.cu does the rest. Rows of more than 2048 elements do not go to shared memory and are read again instead.
//
// Bytes, s per element: s B (T D + T + D) and s D for w once per chunk; with weights s B T. Cut: 4 B D per chunk
// instead of o, and 4 B T for the scores instead of the weights.
#include "kernels/device/chunk.cuh"
#include "kernels/device/grid.cuh"
#include "kernels/device/row_tile.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

// Makes exp(e) of the products x_t . w of `count` positions from `first` of the chunk on; returns the thread's part of
// their sum.
template <class Storage>
__device__ float exponentials(const PoolingForward<Storage>& p, const Chunk& chunk, int first, int count, float* e) {
  float sum = 0;
  for (int j = first + static_cast<int>(threadIdx.x); j < first + count; j += kRowThreads) {
    const float bias = p.b == nullptr ? 0.0f : to_float(p.b[chunk.begin + j]);
    const float score = tanh_and_slope(e[j] + bias).value;
    if (p.to.scores != nullptr) p.to.scores[chunk.place + j] = score;
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
  const Attention<Storage>& to = p.to;
  const Columns columns(stride);
  const RowTile w{reinterpret_cast<float*>(memory), stride}, tile{w.memory + stride, stride};
  float* const e = tile.memory + rows * stride;  // [chunk_keys]
  w.fill(columns, Rows<const Storage>(p.w, to.D), 0, to.T > 0 ? 1 : 0);

  for (Index item = blockIdx.x; item < to.B * to.split.chunks; item += gridDim.x) {
    const Chunk chunk(to, item);
    if (chunk.count == 0 && to.states != nullptr) continue;
    const Rows<const Storage> x(to.x + chunk.row * to.D, to.D);
    TileSums<1> context;
    float sum = 0;
    for (int first = 0; first < chunk.count; first += rows) {
      const int count = min(rows, chunk.count - first);
      tile.fill(columns, x, first, count);
      __syncthreads();
      for (int r = warp_index(); r < count; r += kRowWarps) {
        const float product = tile.dot_row(r, w.row(0));
        if (lane_index() == 0) e[first + r] = product;
      }
      __syncthreads();
      sum += exponentials(p, chunk, first, count, e);
      __syncthreads();
      context.add(columns, tile, count, {e + first});
    }
    const ChunkOutput<Storage> output(to, chunk, {0, sum_block<kRowWarps>(sum, scratch)});
    output.rest(e);
    context.finish(columns, tile, [&](int, int column, float total) {
      if (column < to.D) output.context(column, total);
    });
  }
}

template <class Storage>
__global__ void __launch_bounds__(kRowThreads, 4) wide_pooling_forward_kernel(const PoolingForward<Storage> p) {
  extern __shared__ float e[];  // [chunk_keys]
  __shared__ RowScratch scratch;
  const Attention<Storage>& to = p.to;
  for (Index item = blockIdx.x; item < to.B * to.split.chunks; item += gridDim.x) {
    const Chunk chunk(to, item);
    if (chunk.count == 0 && to.states != nullptr) continue;
    const Rows<const Storage> x(to.x + chunk.row * to.D, to.D);
    reduce_rows(x, chunk.count, DotTerm<Storage>(p.w, to.D), scratch, e);
    __syncthreads();
    const float sum = exponentials(p, chunk, 0, chunk.count, e);
    const ChunkOutput<Storage> output(to, chunk, {0, sum_block<kRowWarps>(sum, scratch[0])});
    output.rest(e);
    combine_rows(x, chunk.count, e, scratch, [&](Index d, float total) { output.context(d, total); });
  }
}

}  // namespace

template <class Storage>
cudaError_t launch_pooling_forward(const PoolingForward<Storage>& params, cudaStream_t stream) {
  const Index items = params.to.B * params.to.split.chunks, D = params.to.D;
  if (items == 0) return cudaSuccess;
  const auto scores = static_cast<std::size_t>(params.to.split.chunk_keys) * sizeof(float);
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
