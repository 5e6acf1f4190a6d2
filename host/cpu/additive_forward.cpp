// SPDX-License-Identifier: Apache-2.0
//
//   e_ij = sum_a v_a tanh(q_ia + k_ja)    alpha_ij = softmax_j(e_ij)    o_i = sum_j alpha_ij x_j
//
// fp32 throughout, with online softmax. Bound by the B Q T A evaluations of tanh, about 16 instructions per vector.
// Memory traffic is q, k, x and o once; from the cache, k and x are read again for every block of queries and q for
// every tile of keys.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/additive_forward.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which compiles this file once for each instruction set.
#include <hwy/highway.h>

#include <cstdint>

#include "cpu/attend-inl.h"
#include "cpu/attention.h"
#include "cpu/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attn::internal::cpu::HWY_NAMESPACE {

void run_additive_forward(const attn_additive_desc_t& desc, const attn_additive_forward_args_t& args, void* workspace,
                          int threads) {
  const std::int64_t A = desc.A;
  const KeyRows keys{desc.T, args.lengths, args.cu_seqlens};
  const auto* const q = static_cast<const float*>(args.q);
  const auto* const k = static_cast<const float*>(args.k);
  const auto* const v = static_cast<const float*>(args.v);
  const Attention all{desc.B,
                      desc.Q,
                      desc.T,
                      desc.D,
                      keys,
                      static_cast<const float*>(args.x),
                      static_cast<float*>(args.o),
                      static_cast<float*>(args.weights),
                      args.lse};
  attend(
      all,
      [=](std::int64_t b, std::int64_t row, std::int64_t j, std::int64_t count, float* e) HWY_ATTR {
        reduce_rows(k + (keys.first(b) + j) * A, count, A, AdditiveScore{q + row * A, v}, e);
      },
      workspace, threads);
}

}  // namespace attn::internal::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attn::internal::cpu {

HWY_EXPORT(run_additive_forward);

void fp32::additive_forward(const attn_additive_desc_t& desc, const attn_additive_forward_args_t& args, void* workspace,
                            int threads) {
  HWY_DYNAMIC_DISPATCH(run_additive_forward)(desc, args, workspace, threads);
}

}  // namespace attn::internal::cpu
#endif
