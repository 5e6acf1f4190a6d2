// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include "encoder/base/handle.h"
#include "encoder/base/layers.h"

namespace attn::internal::cuda {

// Runs on the stream of a CUDA handle.
class CudaLayers final : public Layers {
 public:
  explicit CudaLayers(attn_handle_t handle) : handle_(handle) {}

  void embedding_forward(const Embedding& embedding, const float* table, void* rows) override;
  std::size_t embedding_workspace(const Embedding& embedding) override;
  void embedding_backward(const Embedding& embedding, const void* d_rows, float* d_table) override;
  void dense_forward(std::int64_t B, std::int64_t D, const float* x, const float* w, const float* b, float* z) override;
  void dense_backward(std::int64_t B, std::int64_t D, const float* x, const float* w, const float* d_z, float* d_x,
                      float* d_w, float* d_b) override;
  void sigmoid_cross_entropy(std::int64_t B, const float* z, const float* y, float scale, float* losses,
                             float* d_z) override;
  void dropout(attn_dtype_t dtype, std::int64_t N, float rate, std::uint64_t seed, std::uint32_t stream, const void* in,
               void* out) override;
  void convert(std::int64_t N, attn_dtype_t from, const void* in, attn_dtype_t to, void* out) override;
  void copy_lengths(std::int64_t B, const std::int32_t* lengths, std::int32_t* copy) override;
  void find_nonfinite(std::int64_t N, const float* numbers, std::int32_t* found) override;
  void adam_step(const attn_adam_desc_t& desc, std::int64_t N, const float* g, float* p, float* m, float* s) override;

 private:
  cudaStream_t stream() const { return static_cast<cudaStream_t>(stream_of(handle_)); }

  attn_handle_t handle_;
};

// CudaLayers::copy_lengths() on any stream.
void copy_lengths_to_device(std::int64_t B, const std::int32_t* lengths, std::int32_t* copy, cudaStream_t stream);

}  // namespace attn::internal::cuda
