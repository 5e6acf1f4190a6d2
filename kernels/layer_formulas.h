// SPDX-License-Identifier: Apache-2.0
//
// What the classifier's layers compute for each element, in fp32: the same on the host and on a device.
#pragma once

#include <cmath>
#include <cstdint>

#ifdef __CUDACC__
#define ATTN_HOST_DEVICE __host__ __device__
#else
#define ATTN_HOST_DEVICE
#endif

namespace attn::kernels {

// max(z, 0) - z y + log(1 + exp(-|z|)), without cancellation; the exponential never overflows.
ATTN_HOST_DEVICE inline float cross_entropy(float z, float y) {
  return (z >= 0 ? z * (1 - y) : -z * y) + log1pf(expf(-fabsf(z)));
}

// sigmoid(z) - y
ATTN_HOST_DEVICE inline float cross_entropy_gradient(float z, float y) {
  const float small = expf(-fabsf(z));
  return (z >= 0 ? 1.0f : small) / (1.0f + small) - y;
}

// Of one step: `rate` has the corrections of both moments.
struct AdamRates {
  float rate, beta_1, beta_2, epsilon;
};

inline AdamRates adam_rates(float rate, float beta_1, float beta_2, float epsilon, std::int64_t step) {
  // In double precision: fp32 powers near 1 lose their difference from it.
  const auto correction = [&](double beta) { return 1 - std::pow(beta, static_cast<double>(step)); };
  return {static_cast<float>(rate * std::sqrt(correction(beta_2)) / correction(beta_1)), beta_1, beta_2, epsilon};
}

// A parameter and its two moments.
struct AdamState {
  float p, m, s;
};

ATTN_HOST_DEVICE inline AdamState adam_update(AdamRates rates, float g, AdamState now) {
  const float m = rates.beta_1 * now.m + (1 - rates.beta_1) * g;
  const float s = rates.beta_2 * now.s + (1 - rates.beta_2) * g * g;
  return {now.p - rates.rate * m / (sqrtf(s) + rates.epsilon), m, s};
}

}  // namespace attn::kernels
