// SPDX-License-Identifier: Apache-2.0
//
// Cross-entropy of a sigmoid, Adam, dropout, conversion and the search for NaN and infinity: the formulas of
// layer_formulas.h.
//
// Grid and block: blocks of 256 threads, a thread per element; for dropout and conversion, per four elements.
// Shared memory: none. Registers: not limiting.
// Bytes: cross-entropy 8 B read and 4 B written for each output. Adam 16 N read and 12 N written. Search 4 N read.
//   Dropout and conversion read and write each element once.
// Work: a few operations per element; dropout one Philox counter for each four.
// Limit: memory bandwidth.
#include "kernels/device/elements.cuh"
#include "kernels/layers.h"

namespace attn::kernels {
namespace {

__global__ void __launch_bounds__(kRowThreads) cross_entropy_kernel(const CrossEntropy p) {
  for_each_element(p.B, [&](Index i) {
    const float z = p.z[i], y = p.y[i];
    if (p.losses != nullptr) p.losses[i] = cross_entropy(z, y);
    if (p.d_z != nullptr) p.d_z[i] = cross_entropy_gradient(z, y) / static_cast<float>(p.B) * p.scale;
  });
}

__global__ void __launch_bounds__(kRowThreads) adam_step_kernel(const AdamStep p) {
  if (p.skip != nullptr && *p.skip != 0) return;
  for_each_element(p.N, [&](Index i) {
    const AdamState next = adam_update(p.rates, p.g[i], {p.p[i], p.m[i], p.s[i]});
    p.p[i] = next.p;
    p.m[i] = next.m;
    p.s[i] = next.s;
  });
}

__global__ void __launch_bounds__(kRowThreads) find_nonfinite_kernel(const FindNonfinite p) {
  bool found = false;
  for_each_element(p.N, [&](Index i) { found |= !isfinite(p.numbers[i]); });
  if (__syncthreads_or(found) != 0 && threadIdx.x == 0) atomicOr(p.found, 1);
}

template <class In, class Out>
__global__ void __launch_bounds__(kRowThreads) convert_kernel(const Convert<In, Out> p, const Index vecs) {
  const Rows<const In> in(p.in, p.N);
  const Rows<Out> out(p.out, p.N);
  for_each_element(vecs, [&](Index n) { out.store(0, n * kVecWidth, in.load(0, n * kVecWidth)); });
}

template <class Storage>
__global__ void __launch_bounds__(kRowThreads) dropout_kernel(const Dropout<Storage> p, const Index vecs) {
  for_each_element(vecs, [&](Index n) {
    const RandomWords random = p.mask.words(n);
    for (int j = 0; j < kMaskElements; ++j) {
      const Index i = n * kMaskElements + j;
      if (i < p.N) store(p.mask.apply(random.words[j], to_float(p.in[i])), p.out + i);
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

cudaError_t launch_find_nonfinite(const FindNonfinite& params, cudaStream_t stream) {
  const cudaError_t error = cudaMemsetAsync(params.found, 0, sizeof *params.found, stream);
  if (error != cudaSuccess || params.N == 0) return error;
  find_nonfinite_kernel<<<blocks_for_elements(params.N), kRowThreads, 0, stream>>>(params);
  return cudaGetLastError();
}

template <class In, class Out>
cudaError_t launch_convert(const Convert<In, Out>& params, cudaStream_t stream) {
  const Index vecs = divide_up(params.N, kVecWidth);
  if (vecs == 0) return cudaSuccess;
  convert_kernel<<<blocks_for_elements(vecs), kRowThreads, 0, stream>>>(params, vecs);
  return cudaGetLastError();
}

template <class Storage>
cudaError_t launch_dropout(const Dropout<Storage>& params, cudaStream_t stream) {
  const Index vecs = divide_up(params.N, kMaskElements);
  if (vecs == 0) return cudaSuccess;
  dropout_kernel<<<blocks_for_elements(vecs), kRowThreads, 0, stream>>>(params, vecs);
  return cudaGetLastError();
}

template cudaError_t launch_convert(const Convert<float, __half>&, cudaStream_t);
template cudaError_t launch_convert(const Convert<float, __nv_bfloat16>&, cudaStream_t);
template cudaError_t launch_convert(const Convert<__half, float>&, cudaStream_t);
template cudaError_t launch_convert(const Convert<__nv_bfloat16, float>&, cudaStream_t);
template cudaError_t launch_dropout(const Dropout<float>&, cudaStream_t);
template cudaError_t launch_dropout(const Dropout<__half>&, cudaStream_t);
template cudaError_t launch_dropout(const Dropout<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels
