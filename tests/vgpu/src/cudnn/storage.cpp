// SPDX-License-Identifier: Apache-2.0
#include "cudnn/storage.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace vgpu::cudnn {
namespace {

// The 16-bit types.
struct Format {
  int fraction_bits, exponent_bits;

  int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  std::uint32_t infinity() const { return ((1U << exponent_bits) - 1) << fraction_bits; }
};

Format format_of(Storage type) { return type == Storage::kHalf ? Format{10, 5} : Format{7, 8}; }

std::uint16_t to_bits(Format format, double number) {
  const std::uint32_t sign = std::signbit(number) ? 0x8000 : 0;
  const double magnitude = std::abs(number);
  if (std::isnan(number))
    return static_cast<std::uint16_t>(sign | format.infinity() | 1U << (format.fraction_bits - 1));
  if (std::isinf(number)) return static_cast<std::uint16_t>(sign | format.infinity());
  if (magnitude == 0) return static_cast<std::uint16_t>(sign);
  const int exponent = std::clamp(std::ilogb(magnitude), 1 - format.bias(), format.bias() + 1);
  // Adding the significand, whose leading bit is 1 for a normal number, increments the biased exponent by one; rounding
  // up to the next power of two carries into the exponent in the same way.
  const double units = std::nearbyint(std::ldexp(magnitude, format.fraction_bits - exponent));
  const double bits = units + std::ldexp(exponent + format.bias() - 1, format.fraction_bits);
  return static_cast<std::uint16_t>(sign | static_cast<std::uint32_t>(std::min<double>(bits, format.infinity())));
}

double from_bits(Format format, std::uint16_t bits) {
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  const std::uint32_t magnitude = bits & 0x7fffU;
  if (magnitude > format.infinity()) return std::numeric_limits<double>::quiet_NaN();
  if (magnitude == format.infinity()) return sign * HUGE_VAL;
  const int exponent = static_cast<int>(magnitude >> format.fraction_bits);
  const std::uint32_t fraction = magnitude & ((1U << format.fraction_bits) - 1);
  const double units = exponent == 0 ? fraction : fraction + std::ldexp(1, format.fraction_bits);
  return sign * std::ldexp(units, std::max(exponent, 1) - format.bias() - format.fraction_bits);
}

}  // namespace

void decode(Storage type, const void* from, std::size_t count, double* to) {
  const char* bytes = static_cast<const char*>(from);
  for (std::size_t i = 0; i < count; ++i) {
    if (type == Storage::kFloat) {
      float number;
      std::memcpy(&number, bytes + i * sizeof number, sizeof number);
      to[i] = number;
    } else {
      std::uint16_t bits;
      std::memcpy(&bits, bytes + i * sizeof bits, sizeof bits);
      to[i] = from_bits(format_of(type), bits);
    }
  }
}

void encode(Storage type, const double* from, std::size_t count, void* to) {
  char* bytes = static_cast<char*>(to);
  for (std::size_t i = 0; i < count; ++i) {
    if (type == Storage::kFloat) {
      const float number = static_cast<float>(from[i]);
      std::memcpy(bytes + i * sizeof number, &number, sizeof number);
    } else {
      const std::uint16_t bits = to_bits(format_of(type), from[i]);
      std::memcpy(bytes + i * sizeof bits, &bits, sizeof bits);
    }
  }
}

std::vector<double> decoded(Storage type, const void* from, std::size_t count) {
  std::vector<double> result(count);
  decode(type, from, count, result.data());
  return result;
}

}  // namespace vgpu::cudnn
