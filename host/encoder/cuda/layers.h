// SPDX-License-Identifier: Apache-2.0
//
// On the stream of a CUDA handle.
#pragma once

#include <cuda_runtime_api.h>

#include "encoder/layers.h"

namespace attn::internal::cuda {

class CudaLayers final : public Layers {
 public:
  explicit CudaLayers(cudaStream_t stream) : stream_(stream) {}

  bool in_host_memory() const override { return false; }

  void embedding_forward(attn_dtype_t dtype, std::int64_t N, std::int64_t V, std::int64_t E, const std::int32_t* ids,
                         const float* table, void* rows) const override;
  std::size_t embedding_workspace(std::int64_t N, std::int64_t V, std::int64_t E) const override;
  void embedding_backward(attn_dtype_t dtype, std::int64_t N, std::int64_t V, std::int64_t E, const std::int32_t* ids,
                          const void* d_rows, float* d_table, void* workspace) const override;
  void dense_forward(std::int64_t B, std::int64_t D, const float* x, const float* w, const float* b,
                     float* z) const override;
  void dense_backward(std::int64_t B, std::int64_t D, const float* x, const float* w, const float* d_z, float* d_x,
                      float* d_w, float* d_b) const override;
  void sigmoid_cross_entropy(std::int64_t B, const float* z, const float* y, float scale, float* losses,
                             float* d_z) const override;
  void dropout(attn_dtype_t dtype, std::int64_t N, float rate, std::uint64_t seed, std::uint32_t stream, const void* in,
               void* out) const override;
  void convert(std::int64_t N, attn_dtype_t from, const void* in, attn_dtype_t to, void* out) const override;
  const std::int32_t* place_lengths(std::int64_t B, const std::int32_t* lengths, std::int32_t* place) const override;
  void find_nonfinite(std::int64_t N, const float* numbers, std::int32_t* found) const override;
  void adam_step(const attn_adam_desc_t& desc, std::int64_t N, const float* g, float* p, float* m,
                 float* s) const override;

 private:
  cudaStream_t stream_;
};

}  // namespace attn::internal::cuda
