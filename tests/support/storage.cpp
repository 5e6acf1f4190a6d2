// SPDX-License-Identifier: Apache-2.0
#include "support/storage.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace attn::test {
namespace {

// Encodes a number as sign, biased exponent and fraction. NaN keeps neither its sign nor its payload.
std::uint32_t to_bits(const Storage& type, double number) {
  const int fraction_bits = type.digits - 1;
  const std::uint32_t highest = static_cast<std::uint32_t>(type.greatest - type.least) + 2;
  const std::uint32_t sign = std::signbit(number) ? 1U << (8 * type.size - 1) : 0;
  if (std::isnan(number)) return (2 * highest + 1) << (fraction_bits - 1);
  if (std::isinf(number)) return sign | highest << fraction_bits;
  const double magnitude = std::abs(number);
  if (magnitude == 0) return sign;
  const int exponent = std::max(std::ilogb(magnitude), type.least);
  // The leading one of a normal number carries into the exponent field, whose value is one more than that of a
  // subnormal.
  const auto units = static_cast<std::uint32_t>(std::ldexp(magnitude, fraction_bits - exponent));
  return sign | (units + (static_cast<std::uint32_t>(exponent - type.least) << fraction_bits));
}

double from_bits(const Storage& type, std::uint32_t bits) {
  const int fraction_bits = type.digits - 1;
  const int highest = type.greatest - type.least + 2;  // all ones
  const int exponent = static_cast<int>(bits >> fraction_bits) & highest;
  const std::uint32_t fraction = bits & ((1U << fraction_bits) - 1);
  const double sign = bits >> (8 * type.size - 1) != 0 ? -1 : 1;
  if (exponent == highest) return fraction != 0 ? std::numeric_limits<double>::quiet_NaN() : sign * HUGE_VAL;
  const double units = exponent == 0 ? fraction : fraction + std::ldexp(1, fraction_bits);
  return sign * std::ldexp(units, std::max(exponent, 1) - 1 + type.least - fraction_bits);
}

}  // namespace

double Storage::epsilon() const { return std::ldexp(1, 1 - digits); }
double Storage::least_normal() const { return std::ldexp(1, least); }

Storage storage_of(attn_dtype_t dtype) {
  switch (dtype) {
    case ATTN_DTYPE_FP16:
      return {2, 11, -14, 15};
    case ATTN_DTYPE_BF16:
      return {2, 8, -126, 127};
    case ATTN_DTYPE_FP32:
      break;
  }
  return {4, 24, -126, 127};
}

double rounded(attn_dtype_t dtype, double value) {
  if (!std::isfinite(value) || value == 0) return value;
  const Storage type = storage_of(dtype);
  const double unit = std::ldexp(1, std::max(std::ilogb(value), type.least) - (type.digits - 1));
  const double nearest = std::nearbyint(value / unit) * unit;
  return std::abs(nearest) >= std::ldexp(1, type.greatest + 1) ? std::copysign(HUGE_VAL, value) : nearest;
}

std::vector<double> rounded(attn_dtype_t dtype, std::vector<double> values) {
  for (double& value : values) value = rounded(dtype, value);
  return values;
}

std::vector<std::byte> encode(attn_dtype_t dtype, const std::vector<float>& values) {
  const Storage type = storage_of(dtype);
  std::vector<std::byte> bytes(values.size() * type.size);
  if (dtype == ATTN_DTYPE_FP32) {
    if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint32_t bits = to_bits(type, rounded(dtype, values[i]));
    std::memcpy(bytes.data() + i * type.size, &bits, type.size);  // little-endian
  }
  return bytes;
}

std::vector<float> decode(attn_dtype_t dtype, const std::vector<std::byte>& bytes) {
  const Storage type = storage_of(dtype);
  std::vector<float> values(bytes.size() / type.size);
  if (dtype == ATTN_DTYPE_FP32) {
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, bytes.data() + i * type.size, type.size);
    values[i] = static_cast<float>(from_bits(type, bits));
  }
  return values;
}

}  // namespace attn::test
