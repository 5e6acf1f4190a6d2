// SPDX-License-Identifier: Apache-2.0
//
// What a backend offers to the C entry points of the classifier layers; formulas and shapes in encoder.h. Arguments
// arrive validated, as far as the host can read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "attn_cuda/encoder.h"
#include "kernels/layer_formulas.h"

namespace attn::internal {

class Layers {
 public:
  virtual ~Layers() = default;

  // Whether ids and labels stand where they can be checked.
  virtual bool in_host_memory() const = 0;

  virtual void embedding_forward(attn_dtype_t dtype, std::int64_t N, std::int64_t V, std::int64_t E,
                                 const std::int32_t* ids, const float* table, void* rows) const = 0;
  virtual std::size_t embedding_workspace(std::int64_t N, std::int64_t V, std::int64_t E) const = 0;
  virtual void embedding_backward(attn_dtype_t dtype, std::int64_t N, std::int64_t V, std::int64_t E,
                                  const std::int32_t* ids, const void* d_rows, float* d_table,
                                  void* workspace) const = 0;
  virtual void dense_forward(std::int64_t B, std::int64_t D, const float* x, const float* w, const float* b,
                             float* z) const = 0;
  virtual void dense_backward(std::int64_t B, std::int64_t D, const float* x, const float* w, const float* d_z,
                              float* d_x, float* d_w, float* d_b) const = 0;
  virtual void sigmoid_cross_entropy(std::int64_t B, const float* z, const float* y, float scale, float* losses,
                                     float* d_z) const = 0;
  virtual void dropout(attn_dtype_t dtype, std::int64_t N, float rate, std::uint64_t seed, std::uint32_t stream,
                       const void* in, void* out) const = 0;
  // Between equal types, or from or to fp32.
  virtual void convert(std::int64_t N, attn_dtype_t from, const void* in, attn_dtype_t to, void* out) const = 0;
  // lengths [B] of the host where the backend's calls read them: there, or copied to `place`. The numbers travel with
  // the call.
  virtual const std::int32_t* place_lengths(std::int64_t B, const std::int32_t* lengths, std::int32_t* place) const = 0;
  virtual void find_nonfinite(std::int64_t N, const float* numbers, std::int32_t* found) const = 0;
  virtual void adam_step(const attn_adam_desc_t& desc, std::int64_t N, const float* g, float* p, float* m,
                         float* s) const = 0;
};

inline kernels::AdamRates adam_rates(const attn_adam_desc_t& desc) {
  return kernels::adam_rates(desc.rate, desc.beta_1, desc.beta_2, desc.epsilon, desc.step, desc.scale);
}

// Of the handle's backend, on its stream as it is now.
std::unique_ptr<Layers> layers_of(attn_handle_t handle);

}  // namespace attn::internal
