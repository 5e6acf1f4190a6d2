// SPDX-License-Identifier: Apache-2.0
//
// C entry points of the classifier layers: they check every argument rule and call the backend.
#include <cmath>

#include "attn_cuda/recurrent.h"
#include "base/read_struct.h"
#include "base/validate.h"
#include "encoder/api/choose_backend.h"
#include "encoder/base/handle.h"

namespace attn::internal {
namespace {

// Runs body(layers) at the C boundary with the layers of the handle's backend.
template <class Body>
attn_status_t guarded_with_layers(attn_handle_t handle, const Body& body) {
  return guarded([&] { body(encoder_backend_of(handle).layers()); });
}

// Whether the host can read what the caller's pointers point at.
bool is_host_memory(attn_handle_t handle) { return backend_kind(handle) == ATTN_BACKEND_CPU; }

void require_shape(const Embedding& embedding) {
  require_size("N", embedding.N, 0);
  require_size("V", embedding.V, 1);
  require_size("E", embedding.E, 1);
  element_count("rows", {embedding.N, embedding.E});
  element_count("table", {embedding.V, embedding.E});
}

void require_embedding(attn_handle_t handle, const Embedding& embedding) {
  require_dtype("dtype", embedding.dtype);
  require_shape(embedding);
  require_pointer("ids", embedding.ids, embedding.N);
  if (is_host_memory(handle)) require_ids("ids", embedding.ids, embedding.N, embedding.V);
}

void require_dense(std::int64_t B, std::int64_t D, const float* x, const float* w) {
  require_size("B", B, 0);
  require_size("D", D, 1);
  require_pointer("x", x, element_count("x", {B, D}));
  require_pointer("w", w, element_count("w", {D}));
}

void require_range(const char* name, float value, bool in_range, const char* expected) {
  if (!in_range) reject(name, expected, std::to_string(value));
}

void require_targets(const float* y, std::int64_t B) {
  for (std::int64_t i = 0; i < B; ++i)
    if (!(y[i] >= 0 && y[i] <= 1)) reject("y[" + std::to_string(i) + "]", "0 to 1", std::to_string(y[i]));
}

void require_scale(const char* name, float scale) {
  require_range(name, scale, std::isnormal(scale) && scale > 0, "a finite number above 0 that is not subnormal");
}

}  // namespace

}  // namespace attn::internal

using namespace attn::internal;

attn_status_t attn_embedding_forward(attn_handle_t handle, attn_dtype_t dtype, int64_t N, int64_t V, int64_t E,
                                     const int32_t* ids, const float* table, void* rows) {
  return guarded_with_layers(handle, [&](Layers& layers) {
    const Embedding embedding{dtype, N, V, E, ids, nullptr};
    require_embedding(handle, embedding);
    require_pointer("table", table);
    require_tensor("rows", rows, dtype, N);
    layers.embedding_forward(embedding, table, rows);
  });
}

attn_status_t attn_embedding_workspace_size(attn_handle_t handle, int64_t N, int64_t V, int64_t E, size_t* bytes) {
  return guarded_with_layers(handle, [&](Layers& layers) {
    const Embedding embedding{ATTN_DTYPE_FP32, N, V, E, nullptr, nullptr};
    require_shape(embedding);
    require_pointer("bytes", bytes);
    *bytes = layers.embedding_workspace(embedding);
  });
}

attn_status_t attn_embedding_backward(attn_handle_t handle, attn_dtype_t dtype, int64_t N, int64_t V, int64_t E,
                                      const int32_t* ids, const void* d_rows, float* d_table, void* workspace,
                                      size_t workspace_bytes) {
  return guarded_with_layers(handle, [&](Layers& layers) {
    const Embedding embedding{dtype, N, V, E, ids, workspace};
    require_embedding(handle, embedding);
    require_tensor("d_rows", d_rows, dtype, N);
    require_pointer("d_table", d_table);
    require_workspace(workspace, workspace_bytes, layers.embedding_workspace(embedding));
    layers.embedding_backward(embedding, d_rows, d_table);
  });
}

attn_status_t attn_dense_forward(attn_handle_t handle, int64_t B, int64_t D, const float* x, const float* w,
                                 const float* b, float* z) {
  return guarded_with_layers(handle, [&](Layers& layers) {
    require_dense(B, D, x, w);
    require_pointer("b", b);
    require_pointer("z", z, B);
    layers.dense_forward(B, D, x, w, b, z);
  });
}

attn_status_t attn_dense_backward(attn_handle_t handle, int64_t B, int64_t D, const float* x, const float* w,
                                  const float* d_z, float* d_x, float* d_w, float* d_b) {
  return guarded_with_layers(handle, [&](Layers& layers) {
    require_dense(B, D, x, w);
    require_pointer("d_z", d_z, B);
    require_pointer("d_x", d_x, B);
    require_pointer("d_w", d_w);
    require_pointer("d_b", d_b);
    layers.dense_backward(B, D, x, w, d_z, d_x, d_w, d_b);
  });
}

attn_status_t attn_sigmoid_cross_entropy(attn_handle_t handle, int64_t B, const float* z, const float* y, float scale,
                                         float* losses, float* d_z) {
  return guarded_with_layers(handle, [&](Layers& layers) {
    require_size("B", B, 0);
    element_count("z", {B});
    require_pointer("z", z, B);
    require_pointer("y", y, B);
    if (is_host_memory(handle)) require_targets(y, B);
    require_scale("scale", scale);
    require_optional("losses", losses);
    require_optional("d_z", d_z);
    layers.sigmoid_cross_entropy(B, z, y, scale, losses, d_z);
  });
}

attn_status_t attn_convert(attn_handle_t handle, int64_t N, attn_dtype_t from, const void* in, attn_dtype_t to,
                           void* out) {
  return guarded_with_layers(handle, [&](Layers& layers) {
    require_size("N", N, 0);
    require_dtype("from", from);
    require_dtype("to", to);
    if (from != to && from != ATTN_DTYPE_FP32 && to != ATTN_DTYPE_FP32)
      reject("to", "ATTN_DTYPE_FP32 or the type of in", "the other 16-bit type");
    element_count("in", {N});
    require_tensor("in", in, from, N);
    require_tensor("out", out, to, N);
    layers.convert(N, from, in, to, out);
  });
}

attn_status_t attn_find_nonfinite(attn_handle_t handle, int64_t N, const float* numbers, int32_t* found) {
  return guarded_with_layers(handle, [&](Layers& layers) {
    require_size("N", N, 0);
    element_count("numbers", {N});
    require_pointer("numbers", numbers, N);
    require_pointer("found", found);
    layers.find_nonfinite(N, numbers, found);
  });
}

attn_status_t attn_dropout(attn_handle_t handle, attn_dtype_t dtype, int64_t N, float rate, uint64_t seed,
                           uint32_t stream, const void* in, void* out) {
  return guarded_with_layers(handle, [&](Layers& layers) {
    require_dtype("dtype", dtype);
    require_size("N", N, 0);
    element_count("in", {N});
    require_range("rate", rate, rate >= 0 && rate < 1, "at least 0 and below 1");
    require_tensor("in", in, dtype, N);
    require_tensor("out", out, dtype, N);
    layers.dropout(dtype, N, rate, seed, stream, in, out);
  });
}

attn_status_t attn_adam_step(attn_handle_t handle, const attn_adam_desc_t* caller_desc, int64_t N, const float* g,
                             float* p, float* m, float* s) {
  return guarded_with_layers(handle, [&](Layers& layers) {
    const attn_adam_desc_t desc = read_struct("desc", caller_desc);
    require_range("desc.rate", desc.rate, desc.rate > 0 && std::isfinite(desc.rate), "a finite number above 0");
    require_range("desc.beta_1", desc.beta_1, desc.beta_1 >= 0 && desc.beta_1 < 1, "at least 0 and below 1");
    require_range("desc.beta_2", desc.beta_2, desc.beta_2 >= 0 && desc.beta_2 < 1, "at least 0 and below 1");
    require_range("desc.epsilon", desc.epsilon, desc.epsilon >= 0 && std::isfinite(desc.epsilon),
                  "a finite number, at least 0");
    require_size("desc.step", desc.step, 1);
    require_scale("desc.scale", desc.scale);
    require_size("N", N, 0);
    element_count("p", {N});
    require_pointer("g", g, N);
    require_pointer("p", p, N);
    require_pointer("m", m, N);
    require_pointer("s", s, N);
    require_optional("desc.skip", desc.skip);
    layers.adam_step(desc, N, g, p, m, s);
  });
}
