// SPDX-License-Identifier: Apache-2.0
//
// C entry points of attention pooling: they check every argument rule and call the backend.
#include "api/handle.h"
#include "base/read_struct.h"
#include "base/validate.h"

namespace attn::internal {
namespace {

struct PoolingSizes {
  std::int64_t x, o;
};

PoolingSizes sizes_of(const attn_pooling_desc_t& desc) {
  require_dtype("desc.dtype", desc.dtype);
  require_size("desc.B", desc.B, 0);
  require_size("desc.T", desc.T, 0);
  require_size("desc.D", desc.D, 1);
  return {element_count("x", {desc.B, desc.T, desc.D}), element_count("o", {desc.B, desc.D})};
}

// The arguments that both passes have.
template <class Args>
void require_inputs(const Backend& backend, const attn_pooling_desc_t& desc, const PoolingSizes& sizes,
                    const Args& args) {
  require_tensor("args.x", args.x, desc.dtype, sizes.x);
  require_tensor("args.w", args.w, desc.dtype, sizes.x);
  require_optional("args.b", args.b, desc.dtype);
  require_optional("args.lengths", args.lengths);
  require_optional("args.cu_seqlens", args.cu_seqlens);
  const bool on_host = backend.kind() == ATTN_BACKEND_CPU;
  if (on_host) require_lengths("args.lengths", args.lengths, desc.B, desc.T);
  require_cu_seqlens("args.cu_seqlens", args.cu_seqlens, args.lengths, on_host, desc.B, desc.T);
}

}  // namespace
}  // namespace attn::internal

using namespace attn::internal;

attn_status_t attn_pooling_workspace_size(attn_handle_t handle, const attn_pooling_desc_t* caller_desc,
                                          attn_pass_t pass, size_t* bytes) {
  return guarded([&] {
    const Backend& backend = backend_of(handle);
    const attn_pooling_desc_t desc = read_struct("desc", caller_desc);
    sizes_of(desc);
    require_pass("pass", pass);
    require_pointer("bytes", bytes);
    *bytes = backend.pooling_workspace(desc, pass);
  });
}

attn_status_t attn_pooling_forward(attn_handle_t handle, const attn_pooling_desc_t* caller_desc,
                                   const attn_pooling_forward_args_t* caller_args, void* workspace,
                                   size_t workspace_bytes) {
  return guarded([&] {
    Backend& backend = backend_of(handle);
    const attn_pooling_desc_t desc = read_struct("desc", caller_desc);
    const PoolingSizes sizes = sizes_of(desc);
    const auto args = read_struct("args", caller_args);
    require_inputs(backend, desc, sizes, args);
    require_tensor("args.o", args.o, desc.dtype, sizes.o);
    require_optional("args.weights", args.weights, desc.dtype);
    require_workspace(workspace, workspace_bytes, backend.pooling_workspace(desc, ATTN_PASS_FORWARD));
    backend.pooling_forward(desc, args, workspace);
  });
}

attn_status_t attn_pooling_backward(attn_handle_t handle, const attn_pooling_desc_t* caller_desc,
                                    const attn_pooling_backward_args_t* caller_args, void* workspace,
                                    size_t workspace_bytes) {
  return guarded([&] {
    Backend& backend = backend_of(handle);
    const attn_pooling_desc_t desc = read_struct("desc", caller_desc);
    const PoolingSizes sizes = sizes_of(desc);
    const auto args = read_struct("args", caller_args);
    require_inputs(backend, desc, sizes, args);
    require_tensor("args.d_o", args.d_o, desc.dtype, sizes.o);
    require_optional("args.d_weights", args.d_weights, desc.dtype);
    require_optional("args.d_x", args.d_x, desc.dtype);
    require_optional("args.d_w", args.d_w, desc.dtype);
    require_optional("args.d_b", args.d_b, desc.dtype);
    require_workspace(workspace, workspace_bytes, backend.pooling_workspace(desc, ATTN_PASS_BACKWARD));
    backend.pooling_backward(desc, args, workspace);
  });
}
