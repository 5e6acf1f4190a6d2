// SPDX-License-Identifier: Apache-2.0
//
//   g_t = dO . x_t + dAlpha_t    m = sum_t alpha_t g_t    dE_t = alpha_t (g_t - m)    s_t = dE_t (1 - e_t^2)
//   dx_t = alpha_t dO + s_t w    dw = sum_t s_t x_t    db_t = s_t
//
// with all arithmetic in fp32. With p_t = exp(e_t), L = sum_t p_t and c_t = p_t (1 - e_t^2),
//
//   dw = (sum_t c_t g_t x_t - m sum_t c_t x_t) / L
//
// whose two sums can be made before L and m are known, so x is read once.
//
// Grid and block: two kernels, each with one block of 256 threads per (item, split of the positions).
//   sums: reads x a tile of rows at a time; stores e, g, the split's shares of L and of L m, and its two vectors.
//   gradients: knows L and m; writes dx, s and the split's partial sum of dw, without reading x. row_sums.cu adds dw
//     and db over the batch.
//   Rows of more than 2048 elements do not go through shared memory: another sums kernel reads them four times.
// Shared memory: sums 20 KB for the tile, 8 D for w and dO, 8 bytes for each position of the split (at most 1024);
//   gradients 4 KB and the same 8 bytes. Registers: at most 128 per thread, so that two blocks fit on a multiprocessor
//   (gradients: 64 and four blocks).
// Bytes, s per element: s B (T D + T) read for x and b, s B T D written for dx; 20 B T for e, g and s; for each split 4
//   s D for w and dO in both kernels, 20 D for the vectors and dw, and 8 for the shares of each split of the item.
// Work: four FMAs for each of B T D elements for the sums, two for dx; one tanh and two exp for each of B T positions.
// Limit: memory bandwidth.
#include "kernels/device/grid.cuh"
#include "kernels/device/row_sums.cuh"
#include "kernels/device/row_tile.cuh"
#include "kernels/device/split_keys.cuh"
#include "kernels/device/tanh.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

static_assert((2 * kTileWidth + kTileElements + 2 * kMostSplitKeys) * sizeof(float) < 48 << 10,
              "no opt-in to more shared memory is needed");

// Sums of p and of p g over the positions of a split, or one thread's share of them.
struct Sums {
  float p = 0, pg = 0;
};

// Replaces the products dO . x_t in `cg` and x_t . w in `c` by c g and c, for `count` positions from `first` of the
// split on; both [keys of a split] in shared memory. Stores e and g, and adds to the thread's share of the sums.
template <class Storage>
__device__ void make_coefficients(const PoolingBackward<Storage>& p, const SplitKeys& keys, int first, int count,
                                  float* cg, float* c, Sums& sums) {
  for (int j = first + static_cast<int>(threadIdx.x); j < first + count; j += kRowThreads) {
    const Index at = keys.offset + j;
    const Tanh<float> e = tanh_and_slope(c[j] + (p.b == nullptr ? 0.0f : to_float(p.b[keys.begin + j])));
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

// The split's sums, from the shares of all threads.
template <class Storage>
__device__ void store_sums(const PoolingBackward<Storage>& p, const SplitKeys& keys, Sums sums, float* scratch) {
  sums = {sum_block<kRowWarps>(sums.p, scratch), sum_block<kRowWarps>(sums.pg, scratch)};
  if (threadIdx.x != 0) return;
  p.sums[keys.item * 2] = sums.p;
  p.sums[keys.item * 2 + 1] = sums.pg;
}

template <class Storage>
__global__ void __launch_bounds__(kRowThreads, 2)
    pooling_sums_kernel(const PoolingBackward<Storage> p, const int stride, const int rows) {
  extern __shared__ float4 memory[];
  __shared__ float scratch[kRowWarps];
  const Columns columns(stride);
  const RowTile w{reinterpret_cast<float*>(memory), stride}, d_o{w.memory + stride, stride};
  const RowTile tile{d_o.memory + stride, stride};
  float* const cg = tile.memory + rows * stride;  // [keys of a split]
  float* const c = cg + p.split.keys;             // [keys of a split]

  for_each_work_item(p.B * p.split.count, [&](Index item) {
    const SplitKeys keys(p, item);
    if (keys.count == 0) return;
    const Rows<const Storage> x(p.x + keys.row * p.D, p.D);
    w.fill(columns, Rows<const Storage>(p.w, p.D), 0, 1);
    d_o.fill(columns, Rows<const Storage>(p.d_o + keys.b * p.D, p.D), 0, 1);
    TileSums<2> vectors;
    Sums sums;
    for (int first = 0; first < keys.count; first += rows) {
      // 1. A tile of rows.
      const int count = min(rows, keys.count - first);
      tile.fill(columns, x, first, count);
      __syncthreads();
      // 2. Their products with w and dO, and the coefficients made of these.
      for (int r = warp_index(); r < count; r += kRowWarps) {
        const float product = tile.dot_row(r, w.row(0)), gradient = tile.dot_row(r, d_o.row(0));
        if (lane_index() != 0) continue;
        c[first + r] = product;
        cg[first + r] = gradient;
      }
      __syncthreads();
      make_coefficients(p, keys, first, count, cg, c, sums);
      __syncthreads();
      // 3. Their share of the vectors.
      if (p.vectors != nullptr) vectors.add(columns, tile, count, {cg + first, c + first});
    }
    // 4. Results.
    store_sums(p, keys, sums, scratch);
    if (p.vectors == nullptr) return;
    vectors.finish(columns, tile, [&](int v, int column, float total) {
      if (column < p.D) p.vectors[(item * 2 + v) * p.D + column] = total;
    });
  });
}

template <class Storage>
__global__ void __launch_bounds__(kRowThreads, 2) wide_pooling_sums_kernel(const PoolingBackward<Storage> p) {
  extern __shared__ float cg[];        // [keys of a split]
  float* const c = cg + p.split.keys;  // [keys of a split]
  __shared__ RowScratch scratch;
  for_each_work_item(p.B * p.split.count, [&](Index item) {
    const SplitKeys keys(p, item);
    if (keys.count == 0) return;
    const Rows<const Storage> x(p.x + keys.row * p.D, p.D);
    // 1. Products with w and dO, and the coefficients made of these.
    reduce_rows(x, keys.count, DotTerm<Storage>{{p.w}}, scratch, c);
    reduce_rows(x, keys.count, DotTerm<Storage>{{p.d_o + keys.b * p.D}}, scratch, cg);
    __syncthreads();
    Sums sums;
    make_coefficients(p, keys, 0, keys.count, cg, c, sums);
    // 2. Results.
    store_sums(p, keys, sums, scratch[0]);
    if (p.vectors == nullptr) return;
    for (int v = 0; v < 2; ++v)
      combine_rows(x, keys.count, v == 0 ? cg : c, scratch,
                   [&](Index d, float total) { p.vectors[(item * 2 + v) * p.D + d] = total; });
  });
}

// L and m of an item.
struct Totals {
  float sum, mean;
};

// From the shares of the item's splits, to all threads.
template <class Storage>
__device__ Totals sum_splits(const PoolingBackward<Storage>& p, const SplitKeys& keys, float* scratch) {
  Sums sums;
  for (Index n = threadIdx.x; n < keys.splits; n += kRowThreads) {
    sums.p += p.sums[(keys.b * p.split.count + n) * 2];
    sums.pg += p.sums[(keys.b * p.split.count + n) * 2 + 1];
  }
  const float sum = sum_block<kRowWarps>(sums.p, scratch), mean = sum_block<kRowWarps>(sums.pg, scratch) / sum;
  return {sum, mean};
}

// alpha and s of each position, both [keys of a split] in shared memory. s is also stored, where g was.
template <class Storage>
__device__ void make_score_gradients(const PoolingBackward<Storage>& p, const SplitKeys& keys, Totals totals,
                                     float* alpha, float* s) {
  for (int j = static_cast<int>(threadIdx.x); j < keys.size; j += kRowThreads) {
    alpha[j] = s[j] = 0;
    if (j < keys.count) {
      const float e = p.e[keys.offset + j];
      alpha[j] = expf(e) / totals.sum;
      s[j] = alpha[j] * (p.d_z[keys.offset + j] - totals.mean) * fmaf(-e, e, 1.0f);
    }
    p.d_z[keys.offset + j] = s[j];
  }
}

// dx of the split.
template <class Storage>
__device__ void store_input_gradients(const PoolingBackward<Storage>& p, const SplitKeys& keys, const float* alpha,
                                      const float* s, RowScratch& scratch) {
  constexpr int kCount = LaneColumns<Storage, kGradientLanes>::kCount;
  const Storage* const vectors[] = {p.w, p.d_o + keys.b * p.D};
  const Rows<Storage> d_x(p.d_x + keys.row * p.D, p.D);
  for (Index first = 0; keys.rows > 0 && first < p.D; first += kWarpColumns) {
    float shared[2][kCount];
    share_slices<kGradientLanes>(vectors, p.D, first, scratch, shared);
    with_access(d_x, [&](auto bytes) {
      const LaneRows<Storage, kGradientLanes> to(d_x, first);
      store_rows<decltype(bytes)::value>(to, keys.rows, [&](int row, float(&values)[kCount]) {
        const bool valid = row < keys.count;
        const float of_w = valid ? s[row] : 0.0f, of_d_o = valid ? alpha[row] : 0.0f;
#pragma unroll
        for (int i = 0; i < kCount; ++i) values[i] = valid ? fmaf(of_w, shared[0][i], of_d_o * shared[1][i]) : 0.0f;
      });
    });
  }
}

// The split's partial sum of dw, if it is wanted. Where m is infinite, some dE is inf - inf; adding 0 * m propagates
// this NaN into dw.
template <class Storage>
__device__ void store_weight_gradient(const PoolingBackward<Storage>& p, const SplitKeys& keys, Totals totals) {
  for (Index d = threadIdx.x; p.vectors != nullptr && d < p.D; d += kRowThreads) {
    const Index first = keys.item * 2 * p.D + d;
    p.d_w[keys.item * p.D + d] =
        keys.count == 0
            ? 0.0f
            : fmaf(-totals.mean, p.vectors[first + p.D], p.vectors[first]) / totals.sum + 0.0f * totals.mean;
  }
}

template <class Storage>
__global__ void __launch_bounds__(kRowThreads, 4) pooling_gradients_kernel(const PoolingBackward<Storage> p) {
  extern __shared__ float alpha[];        // [keys of a split]
  float* const s = alpha + p.split.keys;  // [keys of a split]
  __shared__ RowScratch scratch;
  for_each_work_item(p.B * p.split.count, [&](Index item) {
    const SplitKeys keys(p, item);
    // 1. L and m.
    const Totals totals = sum_splits(p, keys, scratch[0]);
    // 2. s of each position.
    make_score_gradients(p, keys, totals, alpha, s);
    // 3. dx.
    if (p.d_x != nullptr) store_input_gradients(p, keys, alpha, s, scratch);
    // 4. The partial sum of dw.
    store_weight_gradient(p, keys, totals);
    __syncthreads();
  });
}

}  // namespace

template <class Storage>
cudaError_t launch_pooling_backward(const PoolingBackward<Storage>& params, cudaStream_t stream) {
  const Index items = params.B * params.split.count, D = params.D;
  if (items == 0) return cudaSuccess;
  const auto scores = static_cast<std::size_t>(params.split.keys) * 2 * sizeof(float);
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
