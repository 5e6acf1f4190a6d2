// SPDX-License-Identifier: Apache-2.0
//
//   out_btw = in_btw for t < lengths[b], otherwise 0
//
// Clears padding before a product that would sum over it: 0 * NaN is NaN.
//
// Grid and block: blocks of 256 threads, one warp per row. In place, only padding is written.
// Shared memory: none. Registers: not limiting.
// Bytes, s per element: s W read for each valid row, s W written for each row; in place, s W written for each row of
//   padding.
// Work: none.
// Limit: memory bandwidth.
#include "kernels/device/elements.cuh"
#include "kernels/encoder.h"

namespace attn::kernels {
namespace {

template <class Storage>
__global__ void __launch_bounds__(kRowThreads) copy_rows_kernel(const CopyRows<Storage> p) {
  const Rows<const Storage> in(p.in, p.W);
  const Rows<Storage> out(p.out, p.W);
  const bool in_place = p.in == p.out;
  for_each_warp_item(p.B * p.T, [&](Index row) {
    const Index t = row % p.T;
    const bool valid = p.lengths == nullptr || t < p.lengths[row / p.T];
    if (valid && in_place) return;
    for (Index column = lane_index() * kVecWidth; column < p.W; column += kWarpColumns)
      out.store(row, column, valid ? in.load(p.same_rows ? t : row, column) : float4{});
  });
}

}  // namespace

template <class Storage>
cudaError_t launch_copy_rows(const CopyRows<Storage>& params, cudaStream_t stream) {
  const Index rows = params.B * params.T;
  if (rows == 0) return cudaSuccess;
  copy_rows_kernel<<<blocks_for_warps(rows), kRowThreads, 0, stream>>>(params);
  return cudaGetLastError();
}

template cudaError_t launch_copy_rows(const CopyRows<float>&, cudaStream_t);
template cudaError_t launch_copy_rows(const CopyRows<__half>&, cudaStream_t);
template cudaError_t launch_copy_rows(const CopyRows<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels
