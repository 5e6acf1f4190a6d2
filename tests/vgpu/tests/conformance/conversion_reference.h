// SPDX-License-Identifier: Apache-2.0
//
// Computes the expected result of cvt from its text, such as "cvt.rzi.ftz.s8.f32".
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "arithmetic_reference.h"

namespace conformance {

struct NumberType {
  const char* name;
  int bits;
  bool is_signed;        // whether an integer is signed
  const Format* format;  // null for an integer
};

inline const NumberType& type_named(std::string_view name) {
  static const NumberType types[] = {{"u8", 8, false, nullptr},
                                     {"u16", 16, false, nullptr},
                                     {"u32", 32, false, nullptr},
                                     {"u64", 64, false, nullptr},
                                     {"s8", 8, true, nullptr},
                                     {"s16", 16, true, nullptr},
                                     {"s32", 32, true, nullptr},
                                     {"s64", 64, true, nullptr},
                                     {"f16", 16, false, &exact::kHalf},
                                     {"bf16", 16, false, &exact::kBrain},
                                     {"f32", 32, false, &exact::kSingle},
                                     {"f64", 64, false, &exact::kDouble}};
  for (const NumberType& type : types)
    if (name == type.name) return type;
  ADD_FAILURE() << "no type " << name;
  return types[0];
}

inline Bits lowest(Bits bits, int count) { return count == 64 ? bits : bits & ((Bits{1} << count) - 1); }

inline exact::Integer integer_of(Bits bits, const NumberType& type) {
  const exact::Integer value = lowest(bits, type.bits);
  return type.is_signed && (bits >> (type.bits - 1) & 1) != 0 ? value - (exact::Integer{1} << type.bits) : value;
}

inline Bits converted_to_float(std::string_view text, Number number, const NumberType& from, const NumberType& to) {
  const Format& format = *to.format;
  const Mode mode = mode_of(text);
  const bool whole = has(text, "rni") || has(text, "rzi") || has(text, "rmi") || has(text, "rpi");
  if (whole && number.kind == Number::Kind::kFinite && number.exponent < 0) {
    number.magnitude = rounded_to_unit(number, 0, mode);
    number.exponent = 0;
  }
  Bits bits = to_bits(number, format, mode);
  const Bits infinity = to_bits(exact::infinity(false), format), sign = bits & sign_bit(format);
  if (has(text, "satfinite") && (bits ^ sign) == infinity) bits = sign | (infinity - 1);
  if (has(text, "ftz") && to.format == &exact::kSingle) bits = exact::flushed(bits, format);
  const bool is_nan = of_bits(bits, format).is_nan();
  if (has(text, "sat")) return is_nan || sign != 0 ? 0 : std::min(bits, one(format));
  if (has(text, "relu")) return is_nan || sign == 0 ? bits : 0;
  static_cast<void>(from);
  return bits;
}

// Returns the destination register, which has out_bits bits, after the instruction.
inline Bits converted(std::string_view text, Bits operand, int out_bits) {
  const std::size_t last = text.rfind('.'), previous = text.rfind('.', last - 1);
  const NumberType& from = type_named(text.substr(last + 1));
  const NumberType& to = type_named(text.substr(previous + 1, last - previous - 1));
  Number number;
  if (from.format != nullptr) {
    operand = lowest(operand, from.bits);
    if (has(text, "ftz") && from.format == &exact::kSingle) operand = exact::flushed(operand, exact::kSingle);
    number = of_bits(operand, *from.format);
  } else {
    number = exact::of_integer(integer_of(operand, from));
  }
  if (to.format != nullptr) return converted_to_float(text, number, from, to);

  const exact::Integer span = exact::Integer{1} << to.bits;
  const exact::Integer least = to.is_signed ? -span / 2 : 0, most = to.is_signed ? span / 2 - 1 : span - 1;
  exact::Integer value;
  if (number.is_nan()) {
    value = from.bits < 64 && to.bits < 64 ? 0 : (to.is_signed ? least : span / 2);
  } else if (from.format != nullptr || has(text, "sat")) {
    value = to_integer(number, least, most, mode_of(text));
  } else {
    value = integer_of(static_cast<Bits>(integer_of(operand, from)), to);
  }
  return lowest(static_cast<Bits>(value), out_bits);
}

// Returns operands: the bits of numbers at which conversions change behaviour, in all formats and as integers, and
// random bits.
inline std::vector<Bits> conversion_operands() {
  std::vector<double> numbers = {0,
                                 0.25,
                                 0.5,
                                 0.75,
                                 1,
                                 1.5,
                                 2.5,
                                 3.5,
                                 126.5,
                                 127,
                                 127.5,
                                 128,
                                 254.5,
                                 255,
                                 255.5,
                                 256,
                                 32766.5,
                                 32767,
                                 32767.5,
                                 32768,
                                 65504,
                                 65519,
                                 65520,
                                 65535,
                                 65535.5,
                                 65536,
                                 1e-8,
                                 3e-8,
                                 5.9e-8,
                                 6.1e-5,
                                 1e-39,
                                 1e-45,
                                 2e-45,
                                 1e-310,
                                 3.4e38,
                                 3.5e38,
                                 1e300,
                                 2147483646.5,
                                 2147483647,
                                 2147483647.5,
                                 2147483648,
                                 4294967295,
                                 4294967295.5,
                                 4294967296,
                                 4503599627370495.5,
                                 16777217,
                                 33554431,
                                 9007199254740992};
  for (const int power : {24, 31, 32, 52, 53, 62, 63, 64, 65}) {
    numbers.push_back(std::ldexp(1, power));
    numbers.push_back(std::nextafter(std::ldexp(1, power), 0));
    numbers.push_back(double{std::nextafter(std::ldexp(1.0f, power), 0.0f)});
  }
  std::vector<Bits> operands;
  for (const double magnitude : numbers)
    for (const double number : {magnitude, -magnitude}) {
      const Number value = exact::of(number);
      operands.push_back(exact::bits_of(number));
      for (const Format* format : {&exact::kSingle, &exact::kHalf, &exact::kBrain}) {
        operands.push_back(to_bits(value, *format));
        operands.push_back(to_bits(value, *format, Mode::kZero) + 1);
      }
      operands.push_back(static_cast<Bits>(to_integer(value, INT64_MIN, INT64_MAX, Mode::kZero)));
    }
  for (const Bits bits : std::initializer_list<Bits>{
           0x7ff0000000000000u, 0xfff0000000000000u, 0x7ff8000000000000u, 0x7ff0000000000001u, 0x7f800000u, 0xff800000u,
           0x7fc00000u, 0xffffffffu, 0x7c00u, 0xfc00u, 0x7e00u, 0x7f80u, 0xff80u, 0x7fffu, 0x0080000000000000u,
           0x7fffffffffffffffu, 0x8000000000000000u, 0xffffffffffffffffu})
    operands.push_back(bits);
  std::mt19937_64 random(9);
  for (int i = 0; i < 4000; ++i) operands.push_back(random());
  // Numbers with small exponents, in all formats.
  for (int i = 0; i < 4000; ++i) {
    const double number = std::ldexp(static_cast<double>(random()) * 0x1p-63 - 1, static_cast<int>(random() % 72) - 4);
    operands.push_back(exact::bits_of(number));
    operands.push_back(
        to_bits(exact::of(number), i % 2 == 0 ? exact::kSingle : (i % 4 == 1 ? exact::kHalf : exact::kBrain)));
  }
  return operands;
}

inline void expect_converted(std::string_view text, int out_bits, const Bits* result,
                             const std::vector<Bits>& operands) {
  const bool double_nan = has(text.substr(0, text.rfind('.')), "f64");
  int shown = 0;
  for (std::size_t j = 0; j < operands.size() && shown < 5; ++j) {
    const Bits wanted = converted(text, operands[j], out_bits);
    if (result[j] == wanted) continue;
    // PTX defines no canonical NaN for f64, and does not document which f32 NaN cvt.f32.bf16 produces.
    const bool any_nan = double_nan || has(text, "bf16");
    const Format& format = double_nan ? exact::kDouble : exact::kSingle;
    if (any_nan && of_bits(wanted, format).is_nan() && of_bits(result[j], format).is_nan()) continue;
    ++shown;
    ADD_FAILURE() << text << std::hex << " of " << operands[j] << ": " << result[j] << ", expected " << wanted;
  }
}

}  // namespace conformance
