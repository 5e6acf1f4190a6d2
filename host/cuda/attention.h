// SPDX-License-Identifier: Apache-2.0
//
// The attentions on the GPU: which kernels are launched for a shape, in which order, and how they use the workspace.
// Arguments are validated by the C API; formulas, shapes and the meaning of null pointers are in attn_cuda.h. All
// pointers are device pointers and workspaces are aligned to 64 bytes. All work is enqueued on `stream`.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

#include "attn_cuda/attn_cuda.h"

namespace attn::internal::cuda {

std::size_t additive_workspace(const attn_additive_desc_t& desc, attn_pass_t pass);
void additive_forward(const attn_additive_desc_t& desc, const attn_additive_forward_args_t& args, void* workspace,
                      cudaStream_t stream);
void additive_backward(const attn_additive_desc_t& desc, const attn_additive_backward_args_t& args, void* workspace,
                       cudaStream_t stream);

std::size_t pooling_workspace(const attn_pooling_desc_t& desc, attn_pass_t pass);
void pooling_forward(const attn_pooling_desc_t& desc, const attn_pooling_forward_args_t& args, void* workspace,
                     cudaStream_t stream);
void pooling_backward(const attn_pooling_desc_t& desc, const attn_pooling_backward_args_t& args, void* workspace,
                      cudaStream_t stream);

}  // namespace attn::internal::cuda
