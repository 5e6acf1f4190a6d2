// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "attn_cuda/encoder.h"
#include "base/fp32_copies.h"
#include "encoder/base/backend.h"

namespace attn::internal {

// A shared query is a parameter, and those are fp32.
inline attn_dtype_t query_dtype(const attn_projected_desc_t& desc) {
  return desc.shared_query == 1 ? ATTN_DTYPE_FP32 : desc.dtype;
}

// Projected additive attention: projections by the backend's linear maps, attention by libattn_cuda. Arguments are
// valid; workspaces and reserve spaces are aligned to 64 bytes. Where the linear maps support only fp32, the passes run
// on fp32 copies of the tensors. Made for one call: it allocates no memory.
class ProjectedPlan {
 public:
  ProjectedPlan(attn_handle_t handle, EncoderBackend& backend, const attn_projected_desc_t& desc);

  std::size_t reserve_bytes() const;
  std::size_t workspace_bytes(attn_pass_t pass) const;
  void forward(const attn_projected_forward_args_t& args, void* workspace) const;
  void backward(const attn_projected_backward_args_t& args, void* workspace) const;

 private:
  // Offsets in bytes of what the forward pass keeps.
  struct ReserveLayout : Layout {
    std::int64_t q, k;  // [B, Q, A], [B, T, A], the projections
    std::int64_t lse;   // [B, Q] in fp32
    explicit ReserveLayout(const attn_projected_desc_t& desc);
  };
  // The same tensors where no reserve space is given, or their gradients in the backward pass. The attention takes v
  // and returns its gradient in the type of the activations; a shared query and its gradient are fp32.
  struct WorkspaceLayout : ReserveLayout {
    std::int64_t v, d_v;   // [A], of 16-bit activations alone
    std::int64_t shared;   // [Q, A] in fp32, of 16-bit activations and a shared query alone
    std::int64_t scratch;  // for one step at a time
    explicit WorkspaceLayout(const attn_projected_desc_t& desc);
  };

  bool is_fp32() const { return desc_.dtype == ATTN_DTYPE_FP32; }
  attn_additive_desc_t additive_desc() const;
  std::size_t additive_workspace(attn_pass_t pass) const;

  LinearMap key_map(const std::int32_t* lengths, std::byte* workspace) const;
  LinearMap query_map(std::byte* workspace) const;
  Items query_items(std::byte* workspace) const;
  // The projections of distinct queries, or their gradients: q itself, or an fp32 tensor in the workspace.
  void* distinct_queries(void* q, std::byte* workspace) const;
  const void* v_of_attention(const float* v, std::byte* workspace) const;

  Fp32Copies copies(const std::int32_t* lengths, void* workspace) const;
  attn_projected_forward_args_t with_fp32_copies(attn_projected_forward_args_t args, Fp32Copies& copies) const;
  attn_projected_backward_args_t with_fp32_copies(attn_projected_backward_args_t args, Fp32Copies& copies) const;

  void forward_pass(const attn_projected_forward_args_t& args, std::byte* workspace) const;
  void backward_pass(const attn_projected_backward_args_t& args, std::byte* workspace) const;
  void project_queries(const attn_projected_forward_args_t& args, void* q, std::byte* workspace) const;
  void query_gradients(const attn_projected_backward_args_t& args, void* d_q, std::byte* workspace) const;

  attn_handle_t handle_;
  Linear& linear_;
  Layers& layers_;
  attn_projected_desc_t desc_;  // of the passes: fp32 where they run on copies
  attn_dtype_t copied_;         // the type of the tensors that are copied; fp32 if none are
  WorkspaceLayout layout_;
};

}  // namespace attn::internal
