// SPDX-License-Identifier: Apache-2.0
//
// The formulas of the classifier's layers for one element, in fp32, shared by the CPU and the GPU.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/host_device.h"

namespace attn::kernels {

// max(z, 0) - z y + log(1 + exp(-|z|)): free of cancellation, and the exponential never overflows.
ATTN_HOST_DEVICE inline float cross_entropy(float z, float y) {
  return (z >= 0 ? z * (1 - y) : -z * y) + log1pf(expf(-fabsf(z)));
}

// sigmoid(z) - y
ATTN_HOST_DEVICE inline float cross_entropy_gradient(float z, float y) {
  const float small = expf(-fabsf(z));
  return (z >= 0 ? 1.0f : small) / (1.0f + small) - y;
}

// The constants of one step. `rate` includes the bias corrections of both moments; `factor`, by which gradients are
// multiplied, undoes the loss scale.
struct AdamRates {
  float rate, beta_1, beta_2, epsilon, factor;
};

inline AdamRates adam_rates(float rate, float beta_1, float beta_2, float epsilon, std::int64_t step, float scale) {
  // In double precision, because 1 - beta^step would suffer from cancellation in fp32.
  const auto correction = [&](double beta) { return 1 - std::pow(beta, static_cast<double>(step)); };
  return {static_cast<float>(rate * std::sqrt(correction(beta_2)) / correction(beta_1)), beta_1, beta_2, epsilon,
          1 / scale};
}

// A parameter and its first and second moment.
struct AdamState {
  float p, m, s;
};

ATTN_HOST_DEVICE inline AdamState adam_update(AdamRates rates, float gradient, AdamState now) {
  const float g = rates.factor * gradient;
  const float m = rates.beta_1 * now.m + (1 - rates.beta_1) * g;
  const float s = rates.beta_2 * now.s + (1 - rates.beta_2) * g * g;
  return {now.p - rates.rate * m / (sqrtf(s) + rates.epsilon), m, s};
}

// Philox4x32-10 (Salmon et al., 2011): four random words for each counter.
struct RandomWords {
  std::uint32_t words[4];
};

ATTN_HOST_DEVICE inline RandomWords philox(RandomWords counter, std::uint64_t key) {
  auto low = static_cast<std::uint32_t>(key), high = static_cast<std::uint32_t>(key >> 32);
  std::uint32_t(&c)[4] = counter.words;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t first = std::uint64_t{0xD2511F53} * c[0], second = std::uint64_t{0xCD9E8D57} * c[2];
    const RandomWords next = {
        {static_cast<std::uint32_t>(second >> 32) ^ c[1] ^ low, static_cast<std::uint32_t>(second),
         static_cast<std::uint32_t>(first >> 32) ^ c[3] ^ high, static_cast<std::uint32_t>(first)}};
    counter = next;
    low += 0x9E3779B9;
    high += 0xBB67AE85;
  }
  return counter;
}

// Dropout: one Philox counter decides which of the elements 4n ... 4n + 3 are kept.
struct DropoutMask {
  std::uint64_t seed;
  std::uint32_t stream;
  std::uint32_t threshold;  // an element is kept where its random word reaches it
  float scale;              // of the elements that are kept

  ATTN_HOST_DEVICE RandomWords words(std::int64_t n) const {
    return philox({{static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(n >> 32), stream, 0}}, seed);
  }
  ATTN_HOST_DEVICE float apply(std::uint32_t word, float value) const { return word >= threshold ? value * scale : 0; }
};

inline DropoutMask dropout_mask(float rate, std::uint64_t seed, std::uint32_t stream) {
  return {seed, stream, static_cast<std::uint32_t>(static_cast<double>(rate) * 4294967296.0), 1 / (1 - rate)};
}

inline constexpr int kMaskElements = 4;  // elements per counter

}  // namespace attn::kernels
