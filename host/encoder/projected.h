// SPDX-License-Identifier: Apache-2.0
//
// Projected additive attention: the projections through Linear, the attention through libattn_cuda. Arguments are
// validated; buffers are 64-byte aligned.
#pragma once

#include "attn_cuda/encoder.h"
#include "encoder/linear.h"

namespace attn::internal {

std::size_t projected_reserve(const Linear& linear, const attn_projected_desc_t& desc);
std::size_t projected_workspace(attn_handle_t handle, const Linear& linear, const attn_projected_desc_t& desc,
                                attn_pass_t pass);
void projected_forward(attn_handle_t handle, Linear& linear, const attn_projected_desc_t& desc,
                       const attn_projected_forward_args_t& args, void* workspace);
void projected_backward(attn_handle_t handle, Linear& linear, const attn_projected_desc_t& desc,
                        const attn_projected_backward_args_t& args, void* workspace);

}  // namespace attn::internal
