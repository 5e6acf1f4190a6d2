// SPDX-License-Identifier: Apache-2.0
//
// The classifier layers. Formulas and shapes are in encoder.h; arguments are valid as far as the host can read them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "attn_cuda/encoder.h"
#include "kernels/layer_formulas.h"

namespace attn::internal {

struct Embedding {
  attn_dtype_t dtype;  // of the rows and their gradient
  std::int64_t N, V, E;
  const std::int32_t* ids;  // [N]
  void* workspace;          // embedding_workspace(), of the backward pass alone
};

class Layers {
 public:
  virtual ~Layers() = default;

  virtual void embedding_forward(const Embedding& embedding, const float* table, void* rows) = 0;
  virtual std::size_t embedding_workspace(const Embedding&) { return 0; }
  virtual void embedding_backward(const Embedding& embedding, const void* d_rows, float* d_table) = 0;
  virtual void dense_forward(std::int64_t B, std::int64_t D, const float* x, const float* w, const float* b,
                             float* z) = 0;
  virtual void dense_backward(std::int64_t B, std::int64_t D, const float* x, const float* w, const float* d_z,
                              float* d_x, float* d_w, float* d_b) = 0;
  virtual void sigmoid_cross_entropy(std::int64_t B, const float* z, const float* y, float scale, float* losses,
                                     float* d_z) = 0;
  virtual void dropout(attn_dtype_t dtype, std::int64_t N, float rate, std::uint64_t seed, std::uint32_t stream,
                       const void* in, void* out) = 0;
  // Between equal types, or from or to fp32.
  virtual void convert(std::int64_t N, attn_dtype_t from, const void* in, attn_dtype_t to, void* out) = 0;
  // Copies lengths [B] from host memory to the memory of the backend. On CUDA they are passed as kernel arguments, so
  // neither the caller nor a captured graph has to keep the host array alive.
  virtual void copy_lengths(std::int64_t B, const std::int32_t* lengths, std::int32_t* copy) = 0;
  virtual void find_nonfinite(std::int64_t N, const float* numbers, std::int32_t* found) = 0;
  virtual void adam_step(const attn_adam_desc_t& desc, std::int64_t N, const float* g, float* p, float* m,
                         float* s) = 0;
};

inline kernels::AdamRates adam_rates(const attn_adam_desc_t& desc) {
  return kernels::adam_rates(desc.rate, desc.beta_1, desc.beta_2, desc.epsilon, desc.step, desc.scale);
}

}  // namespace attn::internal
