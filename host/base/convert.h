// SPDX-License-Identifier: Apache-2.0
//
// Conversion of fp16 and bf16, as bits, to fp32 and back, and the identity for fp32. Widening is exact. Rounding is to
// nearest, ties to even, subnormal numbers included; values that are too large become infinite, and NaN stays a quiet
// NaN. There are no branches, so that compilers vectorise loops over these functions, and results do not depend on
// whether the processor flushes subnormal fp32 numbers to zero.
#pragma once

#include <cstdint>
#include <cstring>

namespace attn::internal {

inline std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline float float_of(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// first ? a : b by bit operations. Compilers turn a conditional expression over floating-point arithmetic into a
// branch.
inline std::uint32_t choose(bool first, std::uint32_t a, std::uint32_t b) { return b ^ ((a ^ b) & (0U - first)); }

struct Fp32 {
  static float widen(float value) { return value; }
  static float round(float value) { return value; }
};

struct Fp16 {
  static float widen(std::uint16_t half) {
    const std::uint32_t sign = (half & 0x8000U) << 16, magnitude = half & 0x7fffU;
    // The exponent bias is 15 and 127. Infinities and NaN have the highest exponent in both formats.
    const std::uint32_t bias = choose(magnitude >= 0x7c00U, 255 - 31, 127 - 15);
    const std::uint32_t normal = (magnitude << 13) + (bias << 23);
    // m 2^-24 is computed as (2^-14 + m 2^-24) - 2^-14, where m is the fraction of the sum.
    constexpr float kBase = 0x1p-14F;
    const std::uint32_t subnormal = bits_of(float_of((magnitude << 13) + bits_of(kBase)) - kBase);
    return float_of(sign | choose(magnitude < 0x400U, subnormal, normal));
  }

  static std::uint16_t round(float value) {
    const std::uint32_t bits = bits_of(value), magnitude = bits & 0x7fffffffU, sign = bits >> 16 & 0x8000U;
    // Adds half an fp16 ULP minus one and the lowest bit that is kept. A carry gives the next power of two, or
    // infinity.
    const std::uint32_t normal = (magnitude - ((127U - 15U) << 23) + 0xfffU + (magnitude >> 13 & 1U)) >> 13;
    // Below 2^-14 an fp16 ULP is 2^-24, like an fp32 ULP from 1/2 to 1: adding 1/2 rounds and leaves the result in the
    // lowest bits. Larger numbers, infinities and NaN are replaced by 0 here, as their result is not used.
    const float small = float_of(choose(magnitude < kMinNormal, magnitude, 0));
    const std::uint32_t subnormal = bits_of(small + 0.5F) - bits_of(0.5F);
    const std::uint32_t finite = choose(magnitude < kMinNormal, subnormal, normal);
    const std::uint32_t beyond = choose(magnitude > kInfinity, 0x7e00U | (magnitude >> 13 & 0x3ffU), 0x7c00U);
    return static_cast<std::uint16_t>(sign | choose(magnitude >= kOverflow, beyond, finite));
  }

 private:
  static constexpr std::uint32_t kMinNormal = 0x38800000;  // 2^-14
  static constexpr std::uint32_t kOverflow = 0x477ff000;   // 65520, halfway between 65504 and 2^16
  static constexpr std::uint32_t kInfinity = 0x7f800000;
};

struct Bf16 {
  static float widen(std::uint16_t half) { return float_of(std::uint32_t{half} << 16); }

  static std::uint16_t round(float value) {
    const std::uint32_t bits = bits_of(value);
    const std::uint32_t rounded = (bits + 0x7fffU + (bits >> 16 & 1U)) >> 16;
    const bool nan = (bits & 0x7fffffffU) > 0x7f800000U;
    return static_cast<std::uint16_t>(choose(nan, bits >> 16 | 0x40U, rounded));
  }
};

}  // namespace attn::internal
