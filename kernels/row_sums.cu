// SPDX-License-Identifier: Apache-2.0
//
//   out_gc = sum of in_rc over the rows r of group g
//
// Adds partial gradients over splits or batch items, in fp32 and in an order that the shape alone decides.
//
// Grid and block: one block of 256 threads per (group, slice of 32 columns), a column per lane. Its warps share out the
//   rows, and each adds its own in their order.
// Shared memory: 1 KB. Registers: not limiting.
// Bytes: each row read once, each sum written once.
// Work: one addition per element.
// Limit: memory bandwidth.
#include "kernels/device/grid.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/device/vec4.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

constexpr int kWarps = 8;

template <class In, class Out>
__global__ void __launch_bounds__(kWarps* kLanes) row_sums_kernel(const RowSums<In, Out> p, const Index slices) {
  __shared__ float sums[kWarps][kLanes];
  for_each_work_item(p.groups * slices, [&](Index item) {
    const Index group = item / slices, column = item % slices * kLanes + lane_index();
    const Index end = min((group + 1) * p.per_group, p.count);
    // 1. The warp's rows.
    float sum = 0;
    if (column < p.width) {
#pragma unroll 4
      for (Index row = group * p.per_group + warp_index(); row < end; row += kWarps)
        sum += to_float(p.rows[row * p.width + column]);
    }
    sums[warp_index()][lane_index()] = sum;
    __syncthreads();
    // 2. The total over the warps.
    if (warp_index() == 0 && column < p.width) {
      for (int warp = 1; warp < kWarps; ++warp) sum += sums[warp][lane_index()];
      store(sum, p.out + group * p.width + column);
    }
    __syncthreads();
  });
}

}  // namespace

template <class In, class Out>
cudaError_t launch_row_sums(const RowSums<In, Out>& params, cudaStream_t stream) {
  const Index slices = divide_up(params.width, kLanes), items = params.groups * slices;
  if (items == 0) return cudaSuccess;
  row_sums_kernel<<<blocks_for(items), kWarps * kLanes, 0, stream>>>(params, slices);
  return cudaGetLastError();
}

template cudaError_t launch_row_sums(const RowSums<float, float>&, cudaStream_t);
template cudaError_t launch_row_sums(const RowSums<float, __half>&, cudaStream_t);
template cudaError_t launch_row_sums(const RowSums<float, __nv_bfloat16>&, cudaStream_t);
template cudaError_t launch_row_sums(const RowSums<__half, float>&, cudaStream_t);
template cudaError_t launch_row_sums(const RowSums<__nv_bfloat16, float>&, cudaStream_t);

}  // namespace attn::kernels
