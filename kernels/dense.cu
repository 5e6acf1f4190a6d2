// SPDX-License-Identifier: Apache-2.0
//
//   z_i = x_i . w + b    d_x_i = d_z_i w    d_w = sum_i d_z_i x_i    d_b = sum_i d_z_i
//
// fp32, each sum in an order that B and D decide.
//
// Forward, a warp takes an item. Backward, a block takes 8 columns, one sector of a row, and all items: 32 of them at a
// time, each thread adding up one of 32; the bias is a column more, of ones.
//
// Bytes: forward 4 (B D + B), w from the cache. Backward 8 B D, and d_z once per 8 columns.
#include "kernels/device/elements.cuh"
#include "kernels/layers.h"

namespace attn::kernels {
namespace {

constexpr int kColumns = 8;
constexpr int kItems = kRowThreads / kColumns;

__global__ void __launch_bounds__(kRowThreads) dense_forward_kernel(const DenseForward p) {
  const Rows<const float> x(p.x, p.D), w(p.w, p.D);
  for_each_in_warp(p.B, [&](Index i) {
    float sum = 0;
    for (Index first = 0; first < p.D; first += kSweep) {
      const Index column = first + lane_index() * kPacket;
      sum = dot(x.load(i, column), w.load(0, column), sum);
    }
    sum = sum_lanes(sum);
    if (lane_index() == 0) p.z[i] = sum + *p.b;
  });
}

__global__ void __launch_bounds__(kRowThreads) dense_backward_kernel(const DenseBackward p, const Index slices) {
  __shared__ float sums[kItems][kColumns];
  const int place = static_cast<int>(threadIdx.x) % kColumns, first = static_cast<int>(threadIdx.x) / kColumns;
  for (Index slice = blockIdx.x; slice < slices; slice += gridDim.x) {
    const Index column = slice * kColumns + place;
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
    sums[first][place] = sum;
    __syncthreads();
    if (first == 0 && column <= p.D) {
      for (int other = 1; other < kItems; ++other) sum += sums[other][place];
      *(column < p.D ? p.d_w + column : p.d_b) = sum;
    }
    __syncthreads();
  }
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
