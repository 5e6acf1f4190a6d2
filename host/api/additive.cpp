// SPDX-License-Identifier: Apache-2.0
//
// C entry points of additive attention: they check every argument rule and call the backend.
#include "api/handle.h"
#include "base/read_struct.h"
#include "base/validate.h"

namespace attn::internal {
namespace {

// The element counts of the tensors. Shapes that overflow are rejected.
struct AdditiveSizes {
  std::int64_t q, k, x, o, weights, rows;
};

AdditiveSizes sizes_of(const attn_additive_desc_t& desc) {
  require_dtype("desc.dtype", desc.dtype);
  require_size("desc.B", desc.B, 0);
  require_size("desc.Q", desc.Q, 0);
  require_size("desc.T", desc.T, 0);
  require_size("desc.A", desc.A, 1);
  require_size("desc.D", desc.D, 1);
  return {element_count("q", {desc.B, desc.Q, desc.A}),       element_count("k", {desc.B, desc.T, desc.A}),
          element_count("x", {desc.B, desc.T, desc.D}),       element_count("o", {desc.B, desc.Q, desc.D}),
          element_count("weights", {desc.B, desc.Q, desc.T}), element_count("lse", {desc.B, desc.Q})};
}

// The arguments that both passes have.
template <class Args>
void require_inputs(const Backend& backend, const attn_additive_desc_t& desc, const AdditiveSizes& sizes,
                    const Args& args) {
  require_tensor("args.q", args.q, desc.dtype, sizes.q);
  require_tensor("args.k", args.k, desc.dtype, sizes.k);
  require_tensor("args.v", args.v, desc.dtype, sizes.weights);
  require_tensor("args.x", args.x, desc.dtype, sizes.x);
  require_optional("args.weights", args.weights, desc.dtype);
  require_optional("args.lengths", args.lengths);
  require_optional("args.cu_seqlens", args.cu_seqlens);
  require_optional("args.lse", args.lse);
  const bool on_host = backend.kind() == ATTN_BACKEND_CPU;
  if (on_host) require_lengths("args.lengths", args.lengths, desc.B, desc.T);
  require_cu_seqlens("args.cu_seqlens", args.cu_seqlens, args.lengths, on_host, desc.B, desc.T);
}

}  // namespace
}  // namespace attn::internal

using namespace attn::internal;

attn_status_t attn_additive_workspace_size(attn_handle_t handle, const attn_additive_desc_t* caller_desc,
                                           attn_pass_t pass, size_t* bytes) {
  return guarded([&] {
    const Backend& backend = backend_of(handle);
    const attn_additive_desc_t desc = read_struct("desc", caller_desc);
    sizes_of(desc);
    require_pass("pass", pass);
    require_pointer("bytes", bytes);
    *bytes = backend.additive_workspace(desc, pass);
  });
}

attn_status_t attn_additive_forward(attn_handle_t handle, const attn_additive_desc_t* caller_desc,
                                    const attn_additive_forward_args_t* caller_args, void* workspace,
                                    size_t workspace_bytes) {
  return guarded([&] {
    Backend& backend = backend_of(handle);
    const attn_additive_desc_t desc = read_struct("desc", caller_desc);
    const AdditiveSizes sizes = sizes_of(desc);
    const auto args = read_struct("args", caller_args);
    require_inputs(backend, desc, sizes, args);
    require_tensor("args.o", args.o, desc.dtype, sizes.o);
    require_workspace(workspace, workspace_bytes, backend.additive_workspace(desc, ATTN_PASS_FORWARD));
    backend.additive_forward(desc, args, workspace);
  });
}

attn_status_t attn_additive_backward(attn_handle_t handle, const attn_additive_desc_t* caller_desc,
                                     const attn_additive_backward_args_t* caller_args, void* workspace,
                                     size_t workspace_bytes) {
  return guarded([&] {
    Backend& backend = backend_of(handle);
    const attn_additive_desc_t desc = read_struct("desc", caller_desc);
    const AdditiveSizes sizes = sizes_of(desc);
    const auto args = read_struct("args", caller_args);
    require_inputs(backend, desc, sizes, args);
    require_pointer("args.lse", args.lse, sizes.rows);
    require_tensor("args.d_o", args.d_o, desc.dtype, sizes.o);
    require_optional("args.d_weights", args.d_weights, desc.dtype);
    require_optional("args.d_q", args.d_q, desc.dtype);
    require_optional("args.d_k", args.d_k, desc.dtype);
    require_optional("args.d_v", args.d_v, desc.dtype);
    require_optional("args.d_x", args.d_x, desc.dtype);
    require_workspace(workspace, workspace_bytes, backend.additive_workspace(desc, ATTN_PASS_BACKWARD));
    backend.additive_backward(desc, args, workspace);
  });
}
