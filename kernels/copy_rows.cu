// SPDX-License-Identifier: Apache-2.0
//
//   out_btw = in_btw for t < lengths[b], else 0
//
// Keeps what stands in the padding out of products in which it would count: 0 times NaN is NaN.
//
// A warp takes a row. In place, only padding is written.
//
// Bytes: 4 W read for each valid row, 4 W written for each row; in place 4 W written for each row of padding.
#include "kernels/device/elements.cuh"
#include "kernels/encoder.h"

namespace attn::kernels {
namespace {

__global__ void __launch_bounds__(kRowThreads) copy_rows_kernel(const CopyRows p) {
  const Rows<const float> in(p.in, p.W);
  const Rows<float> out(p.out, p.W);
  const bool in_place = p.in == p.out;
  for_each_in_warp(p.B * p.T, [&](Index row) {
    const Index t = row % p.T;
    const bool valid = p.lengths == nullptr || t < p.lengths[row / p.T];
    if (valid && in_place) return;
    for (Index column = lane_index() * kPacket; column < p.W; column += kSweep)
      out.store(row, column, valid ? in.load(p.same_rows ? t : row, column) : float4{});
  });
}

}  // namespace

cudaError_t launch_copy_rows(const CopyRows& params, cudaStream_t stream) {
  const Index rows = params.B * params.T;
  if (rows == 0) return cudaSuccess;
  copy_rows_kernel<<<blocks_for_warps(rows), kRowThreads, 0, stream>>>(params);
  return cudaGetLastError();
}

}  // namespace attn::kernels
