// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.h"
#include "encoder/cpu/layers.h"

namespace attn::internal::cpu {
namespace {

constexpr std::int64_t kParameters = 1 << 14;  // per task

// The tensors [count] do not overlap: `__restrict` lets compilers vectorise the loop.
void update(const kernels::AdamRates rates, std::int64_t count, const float* __restrict g, float* __restrict p,
            float* __restrict m, float* __restrict s) {
  for (std::int64_t i = 0; i < count; ++i) {
    const kernels::AdamState next = kernels::adam_update(rates, g[i], {p[i], m[i], s[i]});
    p[i] = next.p;
    m[i] = next.m;
    s[i] = next.s;
  }
}

}  // namespace

void CpuLayers::adam_step(const attn_adam_desc_t& desc, std::int64_t N, const float* g, float* p, float* m, float* s) {
  if (desc.skip != nullptr && *desc.skip != 0) return;
  const kernels::AdamRates rates = adam_rates(desc);
  parallel_for_slices(threads(), N, kParameters, [&](std::int64_t begin, std::int64_t end) {
    update(rates, end - begin, g + begin, p + begin, m + begin, s + begin);
  });
}

}  // namespace attn::internal::cpu
