// SPDX-License-Identifier: Apache-2.0
//
// Floating-point formats narrower than float: reading, rounding and writing. The code is free of branches, so that
// compilers can vectorise loops over lanes.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "exec/instructions/lanes.h"

namespace vgpu {

// kPrecision includes the implicit bit. Normal numbers begin at 2^kMinExponent and are less than 2^(kMaxExponent + 1);
// encodings from kSpecial on are infinity and NaN.
struct Half {
  using Bits = std::uint16_t;
  static constexpr int kPrecision = 11, kMinExponent = -14, kMaxExponent = 15;
  static constexpr double kMax = 65504;
  static constexpr Bits kSpecial = 0x7c00, kNan = 0x7fff;
};

struct Brain {  // bf16
  using Bits = std::uint16_t;
  static constexpr int kPrecision = 8, kMinExponent = -126, kMaxExponent = 127;
  static constexpr double kMax = 0x1.fep127;
  static constexpr Bits kSpecial = 0x7f80, kNan = 0x7fff;
};

struct Tensor32 {  // tf32: a float whose last 13 bits are zero
  using Bits = std::uint32_t;
  static constexpr int kPrecision = 11, kMinExponent = -126, kMaxExponent = 127;
  static constexpr double kMax = 0x1.ffcp127;
};

struct E4m3 {  // has no infinity
  using Bits = std::uint8_t;
  static constexpr int kPrecision = 4, kMinExponent = -6, kMaxExponent = 8;
  static constexpr double kMax = 448;
  static constexpr Bits kSpecial = 0x7f, kNan = 0x7f;
};

struct E5m2 {
  using Bits = std::uint8_t;
  static constexpr int kPrecision = 3, kMinExponent = -14, kMaxExponent = 15;
  static constexpr double kMax = 57344;
  static constexpr Bits kSpecial = 0x7c, kNan = 0x7f;
};

struct Single {  // float itself, for code that is generic in the format
  static constexpr int kPrecision = 24, kMinExponent = -126;
};

constexpr double power_of_two(int exponent) {
  double power = 1;
  for (; exponent > 0; --exponent) power *= 2;
  for (; exponent < 0; ++exponent) power /= 2;
  return power;
}

// Flushes numbers that are subnormal in this format to sign-preserving zero.
template <class Format, class T>
T without_subnormals(T x) {
  return std::fabs(x) < static_cast<T>(power_of_two(Format::kMinExponent)) ? std::copysign(T{0}, x) : x;
}

// The difference between the exponent biases of float and of the format, at the position of float's exponent field.
template <class Format>
constexpr std::uint32_t kRebias = std::uint32_t{126 + Format::kMinExponent} << 23;

// Returns the value of a number in this format, which float represents exactly.
template <class Format>
float widened(typename Format::Bits bits) {
  constexpr int kSignBit = 8 * sizeof(bits) - 1, kShift = 24 - Format::kPrecision;
  if constexpr (kRebias<Format> == 0) {
    return bits_as<float>(std::uint32_t{bits} << kShift);
  } else {
    const std::uint32_t sign = std::uint32_t{bits} >> kSignBit << 31;
    const std::uint32_t magnitude = std::uint32_t{bits} & ((1u << kSignBit) - 1);
    const std::uint32_t normal = (magnitude << kShift) + kRebias<Format>;
    // The fraction of a subnormal number with a leading 1, which the subtraction removes. When rounding towards
    // negative infinity the difference may be -0, hence the fabs.
    constexpr auto kLeast = static_cast<float>(power_of_two(Format::kMinExponent));
    const float subnormal = std::fabs(bits_as<float>(normal + (1u << 23)) - kLeast);
    const bool is_normal = magnitude >> (Format::kPrecision - 1) != 0;
    const std::uint32_t special = magnitude >= Format::kSpecial ? 0x7f800000u : 0u;
    return bits_as<float>((is_normal ? normal : bits_as<std::uint32_t>(subnormal)) | special | sign);
  }
}

// Returns x rounded once to this format, in the host's rounding mode. On overflow the result is infinity or the largest
// finite number, depending on the rounding mode.
template <class Format>
double rounded(double x) {
  // x is added to c = 1.5 * 2^52 units in the last place, with the sign of x, so that rounding leaves exactly the bits
  // that the result may have.
  constexpr std::int64_t kLeast = std::int64_t{1023 + Format::kMinExponent} << 52;
  constexpr std::int64_t kMost = std::int64_t{1024 + Format::kMaxExponent} << 52;
  constexpr std::int64_t kUnits = std::int64_t{53 - Format::kPrecision} << 52 | std::int64_t{1} << 51;
  std::int64_t exponent = bits_as<std::int64_t>(x) & (std::int64_t{0x7ff} << 52);
  exponent = exponent > kLeast ? exponent : kLeast;
  exponent = exponent < kMost ? exponent : kMost;
  const double c = std::copysign(bits_as<double>(exponent + kUnits), x);
  const double number = std::copysign((x + c) - c, x);
  // The host's arithmetic decides how to overflow: this product overflows in the same rounding modes as the format.
  constexpr double kScale = power_of_two(1023 - Format::kMaxExponent);
  const double large = std::fabs(number * kScale) <= std::numeric_limits<double>::max()
                           ? Format::kMax
                           : std::numeric_limits<double>::infinity();
  return std::fabs(number) > Format::kMax ? std::copysign(large, x) : number;
}

template <>
inline double rounded<Single>(double x) {
  return static_cast<double>(static_cast<float>(x));
}

// Returns the encoding of a number that the format can represent, or its NaN.
template <class Format>
typename Format::Bits encoded(double exact) {
  constexpr int kSignBit = 8 * sizeof(typename Format::Bits) - 1;
  constexpr auto kLeast = static_cast<float>(power_of_two(Format::kMinExponent));
  const auto value = static_cast<float>(exact);
  const std::uint32_t sign = bits_as<std::uint32_t>(value) >> 31 << kSignBit;
  std::uint32_t scaled = bits_as<std::uint32_t>(std::fabs(value));
  if constexpr (kRebias<Format> != 0) {
    const std::uint32_t subnormal = bits_as<std::uint32_t>(std::fabs(value) + kLeast) - bits_as<std::uint32_t>(kLeast);
    scaled = std::fabs(value) < kLeast ? subnormal : scaled - kRebias<Format>;
  }
  const std::uint32_t code = scaled >> (24 - Format::kPrecision);
  const std::uint32_t magnitude = code < Format::kSpecial ? code : Format::kSpecial;
  return static_cast<typename Format::Bits>(exact == exact ? magnitude | sign : Format::kNan);
}

}  // namespace vgpu
