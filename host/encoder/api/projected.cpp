// SPDX-License-Identifier: Apache-2.0
//
// C entry points of projected additive attention: they check every argument rule and run the plan.
#include "encoder/plan/projected.h"
#include "base/read_struct.h"
#include "base/validate.h"
#include "encoder/api/choose_backend.h"
#include "encoder/base/handle.h"

namespace attn::internal {
namespace {

// The element counts of the tensors. Shapes that overflow are rejected.
struct ProjectedSizes {
  std::int64_t x, h, w_q, w_k, o, weights;
};

ProjectedSizes sizes_of(const attn_projected_desc_t& desc) {
  require_dtype("desc.dtype", desc.dtype);
  require_size("desc.B", desc.B, 0);
  require_size("desc.Q", desc.Q, 0);
  require_size("desc.T", desc.T, 0);
  require_size("desc.A", desc.A, 1);
  require_size("desc.D", desc.D, 1);
  require_size("desc.H", desc.H, 1);
  require_flag("desc.shared_query", desc.shared_query);
  element_count("q", {desc.B, desc.Q, desc.A});
  element_count("k", {desc.B, desc.T, desc.A});
  return {element_count("x", {desc.B, desc.T, desc.D}),
          element_count("h", {desc.shared_query ? 1 : desc.B, desc.Q, desc.H}),
          element_count("w_q", {desc.A, desc.H}),
          element_count("w_k", {desc.A, desc.D}),
          element_count("o", {desc.B, desc.Q, desc.D}),
          element_count("weights", {desc.B, desc.Q, desc.T})};
}

// The arguments that both passes have.
template <class Args>
void require_inputs(attn_handle_t handle, const attn_projected_desc_t& desc, const ProjectedSizes& sizes,
                    const Args& args) {
  require_tensor("args.x", args.x, desc.dtype, sizes.x);
  require_tensor("args.h", args.h, query_dtype(desc), sizes.h);
  require_pointer("args.w_q", args.w_q, sizes.w_q);
  require_pointer("args.w_k", args.w_k, sizes.w_k);
  require_pointer("args.v", args.v, desc.A);
  require_optional("args.b", args.b);
  require_optional("args.lengths", args.lengths);
  require_optional("args.weights", args.weights, desc.dtype);
  if (backend_kind(handle) == ATTN_BACKEND_CPU) require_lengths("args.lengths", args.lengths, desc.B, desc.T);
}

}  // namespace
}  // namespace attn::internal

using namespace attn::internal;

attn_status_t attn_projected_reserve_size(attn_handle_t handle, const attn_projected_desc_t* caller_desc,
                                          size_t* bytes) {
  return guarded([&] {
    EncoderBackend& backend = encoder_backend_of(handle);
    const attn_projected_desc_t desc = read_struct("desc", caller_desc);
    sizes_of(desc);
    require_pointer("bytes", bytes);
    *bytes = ProjectedPlan(handle, backend, desc).reserve_bytes();
  });
}

attn_status_t attn_projected_workspace_size(attn_handle_t handle, const attn_projected_desc_t* caller_desc,
                                            attn_pass_t pass, size_t* bytes) {
  return guarded([&] {
    EncoderBackend& backend = encoder_backend_of(handle);
    const attn_projected_desc_t desc = read_struct("desc", caller_desc);
    sizes_of(desc);
    require_pass("pass", pass);
    require_pointer("bytes", bytes);
    *bytes = ProjectedPlan(handle, backend, desc).workspace_bytes(pass);
  });
}

attn_status_t attn_projected_forward(attn_handle_t handle, const attn_projected_desc_t* caller_desc,
                                     const attn_projected_forward_args_t* caller_args, void* workspace,
                                     size_t workspace_bytes) {
  return guarded([&] {
    EncoderBackend& backend = encoder_backend_of(handle);
    const attn_projected_desc_t desc = read_struct("desc", caller_desc);
    const ProjectedSizes sizes = sizes_of(desc);
    const auto args = read_struct("args", caller_args);
    const ProjectedPlan plan(handle, backend, desc);
    require_inputs(handle, desc, sizes, args);
    require_tensor("args.o", args.o, desc.dtype, sizes.o);
    if (args.reserve != nullptr) require_aligned("args.reserve", args.reserve, plan.reserve_bytes());
    require_workspace(workspace, workspace_bytes, plan.workspace_bytes(ATTN_PASS_FORWARD));
    plan.forward(args, workspace);
  });
}

attn_status_t attn_projected_backward(attn_handle_t handle, const attn_projected_desc_t* caller_desc,
                                      const attn_projected_backward_args_t* caller_args, void* workspace,
                                      size_t workspace_bytes) {
  return guarded([&] {
    EncoderBackend& backend = encoder_backend_of(handle);
    const attn_projected_desc_t desc = read_struct("desc", caller_desc);
    const ProjectedSizes sizes = sizes_of(desc);
    const auto args = read_struct("args", caller_args);
    const ProjectedPlan plan(handle, backend, desc);
    require_inputs(handle, desc, sizes, args);
    require_aligned("args.reserve", args.reserve, plan.reserve_bytes());
    require_tensor("args.d_o", args.d_o, desc.dtype, sizes.o);
    require_optional("args.d_weights", args.d_weights, desc.dtype);
    require_optional("args.d_x", args.d_x, desc.dtype);
    require_optional("args.d_h", args.d_h, query_dtype(desc));
    require_optional("args.d_w_q", args.d_w_q);
    require_optional("args.d_w_k", args.d_w_k);
    require_optional("args.d_b", args.d_b);
    require_optional("args.d_v", args.d_v);
    require_workspace(workspace, workspace_bytes, plan.workspace_bytes(ATTN_PASS_BACKWARD));
    plan.backward(args, workspace);
  });
}
