// SPDX-License-Identifier: Apache-2.0
//
// The attentions of the CPU backend. Arguments are validated by the C API; formulas, shapes and the meaning of null
// pointers are in attn_cuda.h. Workspaces are aligned to 64 bytes. Their size does not depend on the thread count: the
// only memory per thread is its stack.
#pragma once

#include <cstddef>

#include "attn_cuda/attn_cuda.h"

namespace attn::internal::cpu {

std::size_t additive_workspace(const attn_additive_desc_t& desc, attn_pass_t pass);
void additive_forward(const attn_additive_desc_t& desc, const attn_additive_forward_args_t& args, void* workspace,
                      int threads);
void additive_backward(const attn_additive_desc_t& desc, const attn_additive_backward_args_t& args, void* workspace,
                       int threads);

std::size_t pooling_workspace(const attn_pooling_desc_t& desc, attn_pass_t pass);
void pooling_forward(const attn_pooling_desc_t& desc, const attn_pooling_forward_args_t& args, void* workspace,
                     int threads);
void pooling_backward(const attn_pooling_desc_t& desc, const attn_pooling_backward_args_t& args, void* workspace,
                      int threads);

// The fused loops, on fp32 tensors.
namespace fp32 {

std::size_t additive_workspace(const attn_additive_desc_t& desc, attn_pass_t pass);
void additive_forward(const attn_additive_desc_t& desc, const attn_additive_forward_args_t& args, void* workspace,
                      int threads);
void additive_backward(const attn_additive_desc_t& desc, const attn_additive_backward_args_t& args, void* workspace,
                       int threads);

std::size_t pooling_workspace(const attn_pooling_desc_t& desc, attn_pass_t pass);
void pooling_forward(const attn_pooling_desc_t& desc, const attn_pooling_forward_args_t& args, void* workspace,
                     int threads);
void pooling_backward(const attn_pooling_desc_t& desc, const attn_pooling_backward_args_t& args, void* workspace,
                      int threads);

}  // namespace fp32

// The name of the instruction set that run-time dispatch chose, such as "AVX-512"; static storage.
const char* target_name();

}  // namespace attn::internal::cpu
