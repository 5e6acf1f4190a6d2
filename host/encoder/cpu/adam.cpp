// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "encoder/cpu/layers.h"
#include "encoder/cpu/tasks.h"

namespace attn::cpu {
namespace {

constexpr std::int64_t kParameters = 1 << 14;  // of a task

struct Rates {
  float rate, beta_1, beta_2, epsilon;
};

// The tensors [count] stand apart: `__restrict` lets compilers vectorise the loop.
void update(const Rates rates, std::int64_t count, const float* __restrict g, float* __restrict p, float* __restrict m,
            float* __restrict s) {
  for (std::int64_t i = 0; i < count; ++i) {
    m[i] = rates.beta_1 * m[i] + (1 - rates.beta_1) * g[i];
    s[i] = rates.beta_2 * s[i] + (1 - rates.beta_2) * g[i] * g[i];
    p[i] -= rates.rate * m[i] / (std::sqrt(s[i]) + rates.epsilon);
  }
}

}  // namespace

void adam_step(int threads, const attn_adam_desc_t& desc, std::int64_t N, const float* g, float* p, float* m,
               float* s) {
  // In double precision: fp32 powers near 1 lose their difference from it.
  const auto correction = [&](double beta) { return 1 - std::pow(beta, static_cast<double>(desc.step)); };
  const auto rate = static_cast<float>(desc.rate * std::sqrt(correction(desc.beta_2)) / correction(desc.beta_1));
  const Rates rates{rate, desc.beta_1, desc.beta_2, desc.epsilon};
  run_pieces(threads, N, kParameters, [&](std::int64_t begin, std::int64_t end) {
    update(rates, end - begin, g + begin, p + begin, m + begin, s + begin);
  });
}

}  // namespace attn::cpu
