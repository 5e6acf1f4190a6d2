// SPDX-License-Identifier: Apache-2.0
//
// The loss, the optimiser and dropout: the formulas of layer_formulas.h, a thread for each element, of dropout for each
// four.
//
// Bytes: cross-entropy 8 B read and 4 B written for each output. Adam 16 N read, 12 N written. Dropout 4 N and 4 N.
#include "kernels/device/elements.cuh"
#include "kernels/layers.h"

namespace attn::kernels {
namespace {

__global__ void __launch_bounds__(kRowThreads) cross_entropy_kernel(const CrossEntropy p) {
  for_each_element(p.B, [&](Index i) {
    const float z = p.z[i], y = p.y[i];
    if (p.losses != nullptr) p.losses[i] = cross_entropy(z, y);
    if (p.d_z != nullptr) p.d_z[i] = cross_entropy_gradient(z, y) / static_cast<float>(p.B);
  });
}

__global__ void __launch_bounds__(kRowThreads) adam_step_kernel(const AdamStep p) {
  for_each_element(p.N, [&](Index i) {
    const AdamState next = adam_update(p.rates, p.g[i], {p.p[i], p.m[i], p.s[i]});
    p.p[i] = next.p;
    p.m[i] = next.m;
    p.s[i] = next.s;
  });
}

__global__ void __launch_bounds__(kRowThreads) dropout_kernel(const Dropout p, const Index packets) {
  for_each_element(packets, [&](Index n) {
    const RandomWords random = p.mask.words(n);
    for (int j = 0; j < kMaskElements; ++j) {
      const Index i = n * kMaskElements + j;
      if (i < p.N) p.out[i] = p.mask.apply(random.words[j], p.in[i]);
    }
  });
}

}  // namespace

cudaError_t launch_cross_entropy(const CrossEntropy& params, cudaStream_t stream) {
  if (params.B == 0) return cudaSuccess;
  cross_entropy_kernel<<<blocks_for_elements(params.B), kRowThreads, 0, stream>>>(params);
  return cudaGetLastError();
}

cudaError_t launch_adam_step(const AdamStep& params, cudaStream_t stream) {
  if (params.N == 0) return cudaSuccess;
  adam_step_kernel<<<blocks_for_elements(params.N), kRowThreads, 0, stream>>>(params);
  return cudaGetLastError();
}

cudaError_t launch_dropout(const Dropout& params, cudaStream_t stream) {
  const Index packets = divide_up(params.N, kMaskElements);
  if (packets == 0) return cudaSuccess;
  dropout_kernel<<<blocks_for_elements(packets), kRowThreads, 0, stream>>>(params, packets);
  return cudaGetLastError();
}

}  // namespace attn::kernels
