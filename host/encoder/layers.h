// SPDX-License-Identifier: Apache-2.0
//
// What a backend offers to the C entry points of the classifier layers; formulas and shapes in encoder.h. Arguments
// arrive validated, as far as the host can read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "attn_cuda/encoder.h"

namespace attn {

class Layers {
 public:
  virtual ~Layers() = default;

  // Whether ids and labels stand where they can be checked.
  virtual bool in_host_memory() const = 0;

  virtual void embedding_forward(std::int64_t N, std::int64_t V, std::int64_t E, const std::int32_t* ids,
                                 const float* table, float* rows) const = 0;
  virtual std::size_t embedding_workspace(std::int64_t N, std::int64_t V, std::int64_t E) const = 0;
  virtual void embedding_backward(std::int64_t N, std::int64_t V, std::int64_t E, const std::int32_t* ids,
                                  const float* d_rows, float* d_table, void* workspace) const = 0;
  virtual void dense_forward(std::int64_t B, std::int64_t D, const float* x, const float* w, const float* b,
                             float* z) const = 0;
  virtual void dense_backward(std::int64_t B, std::int64_t D, const float* x, const float* w, const float* d_z,
                              float* d_x, float* d_w, float* d_b) const = 0;
  virtual void sigmoid_cross_entropy(std::int64_t B, const float* z, const float* y, float* losses,
                                     float* d_z) const = 0;
  virtual void dropout(std::int64_t N, float rate, std::uint64_t seed, std::uint32_t stream, const float* in,
                       float* out) const = 0;
  virtual void copy(std::int64_t N, const float* in, float* out) const = 0;
  // lengths [B] of the host where the backend's calls read them: there, or copied to `place`. The numbers travel with
  // the call.
  virtual const std::int32_t* place_lengths(std::int64_t B, const std::int32_t* lengths, std::int32_t* place) const = 0;
  virtual void adam_step(const attn_adam_desc_t& desc, std::int64_t N, const float* g, float* p, float* m,
                         float* s) const = 0;
};

// Of the handle's backend, on its stream as it is now.
std::unique_ptr<Layers> layers_of(attn_handle_t handle);

}  // namespace attn
