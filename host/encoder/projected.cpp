// SPDX-License-Identifier: Apache-2.0
//
// C entry points of projected additive attention: every argument rule, then the backend.
#include "encoder/cpu/projected.h"
#include "attn_cuda/encoder.h"
#include "encoder/handle.h"
#include "encoder/validate.h"

namespace attn {
namespace {

// Element counts of the tensors; their making refuses shapes that overflow.
struct ProjectedSizes {
  std::int64_t x, h, w_q, w_k, o, weights;
};

ProjectedSizes sizes_of(const attn_projected_desc_t* desc) {
  require_struct("desc", desc);
  require_fp32("desc.dtype", desc->dtype);
  require_size("desc.B", desc->B, 0);
  require_size("desc.Q", desc->Q, 0);
  require_size("desc.T", desc->T, 0);
  require_size("desc.A", desc->A, 1);
  require_size("desc.D", desc->D, 1);
  require_size("desc.H", desc->H, 1);
  require_flag("desc.shared_query", desc->shared_query);
  element_count("q", {desc->B, desc->Q, desc->A});
  element_count("k", {desc->B, desc->T, desc->A});
  return {element_count("x", {desc->B, desc->T, desc->D}),
          element_count("h", {desc->shared_query ? 1 : desc->B, desc->Q, desc->H}),
          element_count("w_q", {desc->A, desc->H}),
          element_count("w_k", {desc->A, desc->D}),
          element_count("o", {desc->B, desc->Q, desc->D}),
          element_count("weights", {desc->B, desc->Q, desc->T})};
}

// What both passes take.
template <class Args>
void require_inputs(const attn_projected_desc_t& desc, const ProjectedSizes& sizes, const Args* args) {
  require_struct("args", args);
  require_pointer("args.x", args->x, sizes.x);
  require_pointer("args.h", args->h, sizes.h);
  require_pointer("args.w_q", args->w_q, sizes.w_q);
  require_pointer("args.w_k", args->w_k, sizes.w_k);
  require_pointer("args.v", args->v, desc.A);
  require_lengths("args.lengths", args->lengths, desc.B, desc.T);
}

}  // namespace
}  // namespace attn

using namespace attn;

attn_status_t attn_projected_reserve_size(attn_handle_t handle, const attn_projected_desc_t* desc, size_t* bytes) {
  return guarded([&] {
    cpu_threads(handle);
    sizes_of(desc);
    require_pointer("bytes", bytes);
    *bytes = cpu::projected_reserve(*desc);
  });
}

attn_status_t attn_projected_workspace_size(attn_handle_t handle, const attn_projected_desc_t* desc, attn_pass_t pass,
                                            size_t* bytes) {
  return guarded([&] {
    cpu_threads(handle);
    sizes_of(desc);
    require_pass("pass", pass);
    require_pointer("bytes", bytes);
    *bytes = cpu::projected_workspace(handle, *desc, pass);
  });
}

attn_status_t attn_projected_forward(attn_handle_t handle, const attn_projected_desc_t* desc,
                                     const attn_projected_forward_args_t* args, void* workspace,
                                     size_t workspace_bytes) {
  return guarded([&] {
    const int threads = cpu_threads(handle);
    const ProjectedSizes sizes = sizes_of(desc);
    require_inputs(*desc, sizes, args);
    require_pointer("args.o", args->o, sizes.o);
    if (args->reserve != nullptr) require_reserve("args.reserve", args->reserve, cpu::projected_reserve(*desc));
    require_workspace(workspace, workspace_bytes, cpu::projected_workspace(handle, *desc, ATTN_PASS_FORWARD));
    cpu::projected_forward(handle, *desc, *args, workspace, threads);
  });
}

attn_status_t attn_projected_backward(attn_handle_t handle, const attn_projected_desc_t* desc,
                                      const attn_projected_backward_args_t* args, void* workspace,
                                      size_t workspace_bytes) {
  return guarded([&] {
    const int threads = cpu_threads(handle);
    const ProjectedSizes sizes = sizes_of(desc);
    require_inputs(*desc, sizes, args);
    require_reserve("args.reserve", args->reserve, cpu::projected_reserve(*desc));
    require_pointer("args.d_o", args->d_o, sizes.o);
    require_workspace(workspace, workspace_bytes, cpu::projected_workspace(handle, *desc, ATTN_PASS_BACKWARD));
    cpu::projected_backward(handle, *desc, *args, workspace, threads);
  });
}
