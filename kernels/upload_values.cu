// SPDX-License-Identifier: Apache-2.0
//
//   out_i = values_i
//
// for host values that are passed as kernel arguments, so neither the caller nor a captured graph has to keep the host
// buffer alive.
//
// Grid and block: blocks of 320 threads, a thread per value.
// Shared memory: none. Registers: not limiting.
// Bytes: 4 written for each value.
// Work: none.
// Limit: the latency of the launch.
#include "kernels/encoder.h"

namespace attn::kernels {
namespace {

constexpr int kThreads = 320;
static_assert(kMostUploadValues % kThreads == 0, "full blocks store as many values as a launch can carry");

__global__ void __launch_bounds__(kThreads) upload_values_kernel(const UploadValues p) {
  const int i = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  if (i < p.count) p.out[i] = p.values[i];
}

}  // namespace

cudaError_t launch_upload_values(const UploadValues& params, cudaStream_t stream) {
  if (params.count == 0) return cudaSuccess;
  const auto blocks = static_cast<unsigned>(divide_up(params.count, kThreads));
  upload_values_kernel<<<blocks, kThreads, 0, stream>>>(params);
  return cudaGetLastError();
}

}  // namespace attn::kernels
