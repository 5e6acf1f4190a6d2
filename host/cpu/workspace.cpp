// SPDX-License-Identifier: Apache-2.0
#include "cpu/workspace.h"

#include "cpu/attention.h"

namespace attn::internal::cpu::fp32 {

std::size_t additive_workspace(const attn_additive_desc_t& desc, attn_pass_t pass) {
  return pass == ATTN_PASS_FORWARD ? ForwardWorkspace(desc.B, desc.Q, desc.T, desc.D, nullptr).bytes
                                   : AdditiveBackwardWorkspace(desc, nullptr).bytes;
}

std::size_t pooling_workspace(const attn_pooling_desc_t& desc, attn_pass_t pass) {
  return pass == ATTN_PASS_FORWARD ? ForwardWorkspace(desc.B, 1, desc.T, desc.D, nullptr).bytes
                                   : PoolingBackwardWorkspace(desc, nullptr).bytes;
}

}  // namespace attn::internal::cpu::fp32
