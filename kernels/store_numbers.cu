// SPDX-License-Identifier: Apache-2.0
//
//   out_i = numbers_i
//
// Bytes: 4 count written; the numbers come with the parameters of the launch.
#include "kernels/encoder.h"

namespace attn::kernels {
namespace {

constexpr int kThreads = 320;
static_assert(kMostNumbers % kThreads == 0, "all in one grid without a ragged end");

__global__ void __launch_bounds__(kThreads) store_numbers_kernel(const StoreNumbers p) {
  const int i = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  if (i < p.count) p.out[i] = p.numbers[i];
}

}  // namespace

cudaError_t launch_store_numbers(const StoreNumbers& params, cudaStream_t stream) {
  if (params.count == 0) return cudaSuccess;
  const auto blocks = static_cast<unsigned>(divide_up(params.count, kThreads));
  store_numbers_kernel<<<blocks, kThreads, 0, stream>>>(params);
  return cudaGetLastError();
}

}  // namespace attn::kernels
