// SPDX-License-Identifier: Apache-2.0
//
//   z_i = x_i . w + b    dx_i = dz_i w    dw = sum_i dz_i x_i    db = sum_i dz_i
//
// with all arithmetic in fp32, each sum in an order that B and D alone decide.
//
// Grid and block: blocks of 256 threads. Forward, one warp per item. Backward, one block per slice of 8 columns, which
//   is one 32-byte sector of a row, over all items: 32 at a time, so a thread sums every 32nd. The bias is one more
//   column of x, filled with ones.
// Shared memory: backward 1 KB. Registers: not limiting.
// Bytes: forward 4 (B D + B), with w from the cache. Backward 8 B D, and 4 B for dz in each slice.
// Work: one FMA for each of B D elements forward, one FMA and one multiplication backward.
// Limit: memory bandwidth; at the classifier's sizes the latency of the launch.
#include "kernels/device/elements.cuh"
#include "kernels/layers.h"

namespace attn::kernels {
namespace {

constexpr int kColumns = 8;
constexpr int kItems = kRowThreads / kColumns;

__global__ void __launch_bounds__(kRowThreads) dense_forward_kernel(const DenseForward p) {
  const Rows<const float> x(p.x, p.D), w(p.w, p.D);
  for_each_warp_item(p.B, [&](Index i) {
    float sum = 0;
    for (Index first = 0; first < p.D; first += kWarpColumns) {
      const Index column = first + lane_index() * kVecWidth;
      sum = dot(x.load(i, column), w.load(0, column), sum);
    }
    sum = sum_lanes(sum);
    if (lane_index() == 0) p.z[i] = sum + *p.b;
  });
}

__global__ void __launch_bounds__(kRowThreads) dense_backward_kernel(const DenseBackward p, const Index slices) {
  __shared__ float sums[kItems][kColumns];
  const int lane_column = static_cast<int>(threadIdx.x) % kColumns, first = static_cast<int>(threadIdx.x) / kColumns;
  for_each_work_item(slices, [&](Index slice) {
    const Index column = slice * kColumns + lane_column;
    // 1. Every kItems-th item.
    float sum = 0;
    if (column < p.D) {
      const float w = p.w[column];
#pragma unroll 4
      for (Index i = first; i < p.B; i += kItems) {
        const float d_z = p.d_z[i];
        sum = fmaf(d_z, p.x[i * p.D + column], sum);
        p.d_x[i * p.D + column] = d_z * w;
      }
    } else if (column == p.D) {
      for (Index i = first; i < p.B; i += kItems) sum += p.d_z[i];
    }
    sums[first][lane_column] = sum;
    __syncthreads();
    // 2. The total of each column.
    if (first == 0 && column <= p.D) {
      for (int other = 1; other < kItems; ++other) sum += sums[other][lane_column];
      *(column < p.D ? p.d_w + column : p.d_b) = sum;
    }
    __syncthreads();
  });
}

}  // namespace

cudaError_t launch_dense_forward(const DenseForward& params, cudaStream_t stream) {
  if (params.B == 0) return cudaSuccess;
  dense_forward_kernel<<<blocks_for_warps(params.B), kRowThreads, 0, stream>>>(params);
  return cudaGetLastError();
}

cudaError_t launch_dense_backward(const DenseBackward& params, cudaStream_t stream) {
  const Index slices = divide_up(params.D + 1, kColumns);
  dense_backward_kernel<<<blocks_for(slices), kRowThreads, 0, stream>>>(params, slices);
  return cudaGetLastError();
}

}  // namespace attn::kernels
