// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "encoder/cpu/layers.h"
#include "encoder/cpu/tasks.h"

namespace attn::cpu {

void adam_step(int threads, const attn_adam_desc_t& desc, std::int64_t N, const float* g, float* p, float* m,
               float* s) {
  // Powers close to 1 lose their difference from it in fp32.
  const auto correction = [&](double beta) { return 1 - std::pow(beta, static_cast<double>(desc.step)); };
  const auto rate = static_cast<float>(desc.rate * std::sqrt(correction(desc.beta_2)) / correction(desc.beta_1));
  const float beta_1 = desc.beta_1, beta_2 = desc.beta_2, epsilon = desc.epsilon;
  run_pieces(threads, N, 1 << 14, [&](std::int64_t begin, std::int64_t end) {
#pragma omp simd
    for (std::int64_t i = begin; i < end; ++i) {
      m[i] = beta_1 * m[i] + (1 - beta_1) * g[i];
      s[i] = beta_2 * s[i] + (1 - beta_2) * g[i] * g[i];
      p[i] -= rate * m[i] / (std::sqrt(s[i]) + epsilon);
    }
  });
}

}  // namespace attn::cpu
