// SPDX-License-Identifier: Apache-2.0
//
//   g_t = dO . x_t + dAlpha_t    dE_t = alpha_t (g_t - m)    m = sum_t alpha_t g_t    s_t = dE_t (1 - e_t^2)
//   dx_t = alpha_t dO + s_t w    dw = sum_t s_t x_t    db_t = s_t
//
// fp32 throughout. With p_t = exp(e_t), L = sum_t p_t and c_t = p_t (1 - e_t^2), dw is a sum that needs neither L nor m
// while x passes by:
//
//   dw = (sum_t c_t g_t x_t - m sum_t c_t x_t) / L
//
// Two kernels, in each of which a block takes one chunk of positions of one item. The first reads x, a tile of rows at
// a time, and leaves e, g, its part of L and m, and the two vectors; the second, which then knows L and m, writes dx, s
// and the chunk's part of dw, without x. row_sums.cu adds dw and db over the batch. Rows of more than 2048 elements do
// not go to shared memory and are read again instead, for each of the four sums.
//
// Bytes, s per element: s B (T D + T); written s B T D; 20 B T for e, g and s; for each chunk 4 s D, 20 D for the
// vectors and its part of dw, and 8 for each chunk of the item.
#include "kernels/device/chunk.cuh"
#include "kernels/device/grid.cuh"
#include "kernels/device/row_tile.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

static_assert((2 * kTileWidth + kTileElements + 2 * kMostChunkKeys) * sizeof(float) < 48 << 10, "fits any GPU unasked");

// A chunk's sums of p and of p g, or the thread's part of them.
struct Sums {
  float p = 0, pg = 0;
};

// Makes c g and c, in place, of the products x_t . w and dO . x_t of `count` positions from `first` of the chunk on.
template <class Storage>
__device__ void coefficients(const PoolingBackward<Storage>& p, const Chunk& chunk, int first, int count, float* cg,
                             float* c, Sums& sums) {
  for (int j = first + static_cast<int>(threadIdx.x); j < first + count; j += kRowThreads) {
    const Index at = chunk.place + j;
    const Tanh<float> e = tanh_and_slope(c[j] + (p.b == nullptr ? 0.0f : to_float(p.b[chunk.begin + j])));
    const float g = p.d_weights == nullptr ? cg[j] : cg[j] + to_float(p.d_weights[at]);
    const float exponential = expf(e.value);
    p.e[at] = e.value;
    p.d_z[at] = g;
    sums.p += exponential;
    sums.pg = fmaf(exponential, g, sums.pg);
    c[j] = exponential * e.slope;
    cg[j] = c[j] * g;
  }
}

template <class Storage>
__device__ void keep_sums(const PoolingBackward<Storage>& p, const Chunk& chunk, Sums sums, float* scratch) {
  sums = {sum_block<kRowWarps>(sums.p, scratch), sum_block<kRowWarps>(sums.pg, scratch)};
  if (threadIdx.x != 0) return;
  p.sums[chunk.item * 2] = sums.p;
  p.sums[chunk.item * 2 + 1] = sums.pg;
}

template <class Storage>
__global__ void __launch_bounds__(kRowThreads, 2)
    pooling_sums_kernel(const PoolingBackward<Storage> p, const int stride, const int rows) {
  extern __shared__ float4 memory[];
  __shared__ float scratch[kRowWarps];
  const Columns columns(stride);
  const RowTile w{reinterpret_cast<float*>(memory), stride}, d_o{w.memory + stride, stride};
  const RowTile tile{d_o.memory + stride, stride};
  float* const cg = tile.memory + rows * stride;  // [chunk_keys]
  float* const c = cg + p.split.chunk_keys;       // [chunk_keys]

  for (Index item = blockIdx.x; item < p.B * p.split.chunks; item += gridDim.x) {
    const Chunk chunk(p, item);
    if (chunk.count == 0) continue;
    const Rows<const Storage> x(p.x + chunk.row * p.D, p.D);
    w.fill(columns, Rows<const Storage>(p.w, p.D), 0, 1);
    d_o.fill(columns, Rows<const Storage>(p.d_o + chunk.b * p.D, p.D), 0, 1);
    TileSums<2> vectors;
    Sums sums;
    for (int first = 0; first < chunk.count; first += rows) {
      const int count = min(rows, chunk.count - first);
      tile.fill(columns, x, first, count);
      __syncthreads();
      for (int r = warp_index(); r < count; r += kRowWarps) {
        const float product = tile.dot_row(r, w.row(0)), gradient = tile.dot_row(r, d_o.row(0));
        if (lane_index() != 0) continue;
        c[first + r] = product;
        cg[first + r] = gradient;
      }
      __syncthreads();
      coefficients(p, chunk, first, count, cg, c, sums);
      __syncthreads();
      if (p.vectors != nullptr) vectors.add(columns, tile, count, {cg + first, c + first});
    }
    keep_sums(p, chunk, sums, scratch);
    if (p.vectors == nullptr) continue;
    vectors.finish(columns, tile, [&](int v, int column, float total) {
      if (column < p.D) p.vectors[(item * 2 + v) * p.D + column] = total;
    });
  }
}

template <class Storage>
__global__ void __launch_bounds__(kRowThreads, 4) wide_pooling_sums_kernel(const PoolingBackward<Storage> p) {
  extern __shared__ float cg[];              // [chunk_keys]
  float* const c = cg + p.split.chunk_keys;  // [chunk_keys]
  __shared__ RowScratch scratch;
  for (Index item = blockIdx.x; item < p.B * p.split.chunks; item += gridDim.x) {
    const Chunk chunk(p, item);
    if (chunk.count == 0) continue;
    const Rows<const Storage> x(p.x + chunk.row * p.D, p.D);
    reduce_rows(x, chunk.count, DotTerm<Storage>(p.w, p.D), scratch, c);
    reduce_rows(x, chunk.count, DotTerm<Storage>(p.d_o + chunk.b * p.D, p.D), scratch, cg);
    __syncthreads();
    Sums sums;
    coefficients(p, chunk, 0, chunk.count, cg, c, sums);
    keep_sums(p, chunk, sums, scratch[0]);
    if (p.vectors == nullptr) continue;
    for (int v = 0; v < 2; ++v)
      combine_rows(x, chunk.count, v == 0 ? cg : c, scratch,
                   [&](Index d, float total) { p.vectors[(item * 2 + v) * p.D + d] = total; });
  }
}

template <class Storage>
__global__ void __launch_bounds__(kRowThreads, 4) pooling_gradients_kernel(const PoolingBackward<Storage> p) {
  extern __shared__ float alpha[];                // [chunk_keys]
  float* const d_z = alpha + p.split.chunk_keys;  // [chunk_keys]
  __shared__ RowScratch scratch;
  for (Index item = blockIdx.x; item < p.B * p.split.chunks; item += gridDim.x) {
    const Chunk chunk(p, item);
    Sums sums;
    for (Index n = threadIdx.x; n < chunk.chunks; n += kRowThreads) {
      sums.p += p.sums[(chunk.b * p.split.chunks + n) * 2];
      sums.pg += p.sums[(chunk.b * p.split.chunks + n) * 2 + 1];
    }
    const float sum = sum_block<kRowWarps>(sums.p, scratch[0]), mean = sum_block<kRowWarps>(sums.pg, scratch[0]) / sum;

    // 1. s of each position, in the place of g too.
    for (int j = static_cast<int>(threadIdx.x); j < chunk.size; j += kRowThreads) {
      alpha[j] = d_z[j] = 0;
      if (j < chunk.count) {
        const float e = p.e[chunk.place + j];
        alpha[j] = expf(e) / sum;
        d_z[j] = alpha[j] * (p.d_z[chunk.place + j] - mean) * fmaf(-e, e, 1.0f);
      }
      p.d_z[chunk.place + j] = d_z[j];
    }

    // 2. dx.
    const Rows<const Storage> vectors[] = {{p.w, p.D}, {p.d_o + chunk.b * p.D, p.D}};
    const Rows<Storage> d_x(p.d_x == nullptr ? nullptr : p.d_x + chunk.row * p.D, p.D);
    for (Index first = 0; p.d_x != nullptr && chunk.rows > 0 && first < p.D; first += kSweep) {
      float4 packets[2][1];
      share_columns(vectors, first, scratch, packets);
      for (int j = warp_index(); j < chunk.rows; j += kRowWarps)
        d_x.store(j, first + lane_index() * kPacket,
                  j < chunk.count ? add_multiple(d_z[j], packets[0][0], alpha[j] * packets[1][0]) : float4{});
    }

    // 3. The chunk's part of dw. Where m is infinite some dE is inf - inf; the last term says so.
    for (Index d = threadIdx.x; p.vectors != nullptr && d < p.D; d += kRowThreads) {
      const Index first = item * 2 * p.D + d;
      p.d_w[item * p.D + d] =
          chunk.count == 0 ? 0.0f : fmaf(-mean, p.vectors[first + p.D], p.vectors[first]) / sum + 0.0f * mean;
    }
    __syncthreads();
  }
}

}  // namespace

template <class Storage>
cudaError_t launch_pooling_backward(const PoolingBackward<Storage>& params, cudaStream_t stream) {
  const Index items = params.B * params.split.chunks, D = params.D;
  if (items == 0) return cudaSuccess;
  const auto scores = static_cast<std::size_t>(params.split.chunk_keys) * 2 * sizeof(float);
  if (D > kTileWidth) {
    wide_pooling_sums_kernel<Storage><<<blocks_for(items), kRowThreads, scores, stream>>>(params);
  } else {
    const auto tile = static_cast<std::size_t>((2 + tile_rows(D)) * tile_stride(D)) * sizeof(float);
    pooling_sums_kernel<Storage>
        <<<blocks_for(items), kRowThreads, tile + scores, stream>>>(params, tile_stride(D), tile_rows(D));
  }
  const cudaError_t status = cudaGetLastError();
  if (status != cudaSuccess) return status;
  pooling_gradients_kernel<Storage><<<blocks_for(items), kRowThreads, scores, stream>>>(params);
  return cudaGetLastError();
}

template cudaError_t launch_pooling_backward(const PoolingBackward<float>&, cudaStream_t);
template cudaError_t launch_pooling_backward(const PoolingBackward<__half>&, cudaStream_t);
template cudaError_t launch_pooling_backward(const PoolingBackward<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels
