// SPDX-License-Identifier: Apache-2.0
//
// Computes the expected result of a floating-point instruction from its text, such as "fma.rz.ftz.sat.f32".
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "exact.h"

namespace conformance {

using exact::Format;
using exact::Mode;
using exact::Number;
using Bits = std::uint64_t;

inline bool has(std::string_view text, std::string_view word) {
  return (std::string(text) + ".").find("." + std::string(word) + ".") != std::string::npos;
}

inline Mode mode_of(std::string_view text) {
  if (has(text, "rz") || has(text, "rzi")) return Mode::kZero;
  if (has(text, "rm") || has(text, "rmi")) return Mode::kDown;
  if (has(text, "rp") || has(text, "rpi")) return Mode::kUp;
  return has(text, "rna") ? Mode::kNearestAway : Mode::kNearestEven;
}

inline Bits sign_bit(const Format& format) { return Bits{1} << (format.bits - 1); }
inline Bits one(const Format& format) { return static_cast<Bits>(1 - format.min_exponent) << (format.precision - 1); }

// Maps numbers to integer keys with the same order; -0 sorts before +0.
inline std::int64_t key(Bits bits, const Format& format) {
  const auto magnitude = static_cast<std::int64_t>(bits & (sign_bit(format) - 1));
  return (bits & sign_bit(format)) != 0 ? -magnitude - 1 : magnitude;
}

inline Bits extreme(bool larger, bool nan_wins, Bits a, Bits b, const Format& format) {
  const bool a_nan = of_bits(a, format).is_nan(), b_nan = of_bits(b, format).is_nan();
  if ((a_nan && b_nan) || (nan_wins && (a_nan || b_nan))) return sign_bit(format) - 1;
  if (a_nan || b_nan) return a_nan ? b : a;
  return (key(a, format) > key(b, format)) == larger ? a : b;
}

inline Bits of_extreme(std::string_view text, Bits a, Bits b, const Format& format) {
  const Bits sign = sign_bit(format);
  const bool larger = text.substr(0, 3) == "max", nan_wins = has(text, "NaN");
  if (!has(text, "abs")) return extreme(larger, nan_wins, a, b, format);
  const Bits magnitude = extreme(larger, nan_wins, a & ~sign, b & ~sign, format);
  const bool changes_sign = has(text, "xorsign") && !of_bits(magnitude, format).is_nan();
  return changes_sign ? magnitude | ((a ^ b) & sign) : magnitude;
}

inline Number exact_result(std::string_view opcode, const Number& a, const Number& b, const Number& c, Mode mode) {
  if (opcode == "add") return sum(a, b, mode);
  if (opcode == "sub") return sum(a, negated(b), mode);
  if (opcode == "mul") return product(a, b);
  if (opcode == "fma" || opcode == "mad") return sum(product(a, b), c, mode);
  if (opcode == "div") return quotient(a, b);
  if (opcode == "rcp") return quotient(exact::of_integer(1), a);
  if (opcode == "sqrt") return square_root(a);
  if (opcode == "abs" || opcode == "neg") {
    Number result = a;
    result.negative = opcode == "neg" && !a.negative;
    return result;
  }
  ADD_FAILURE() << "no reference for " << opcode;
  return exact::nan();
}

inline Bits expected(std::string_view text, std::array<Bits, 3> operands, const Format& format) {
  const std::string_view opcode = text.substr(0, text.find('.'));
  const bool flush = has(text, "ftz");
  if (flush)
    for (Bits& operand : operands) operand = exact::flushed(operand, format);
  const auto [a, b, c] = operands;
  Bits bits;
  if (opcode == "min" || opcode == "max") {
    bits = of_extreme(text, a, b, format);
  } else if (opcode == "copysign") {
    bits = (a & sign_bit(format)) | (b & ~sign_bit(format));
  } else {
    const Mode mode = mode_of(text);
    bits =
        to_bits(exact_result(opcode, of_bits(a, format), of_bits(b, format), of_bits(c, format), mode), format, mode);
  }
  if (flush) bits = exact::flushed(bits, format);
  const bool nan = of_bits(bits, format).is_nan(), negative = (bits & sign_bit(format)) != 0;
  if (has(text, "sat")) return nan || negative ? 0 : std::min(bits, one(format));
  if (has(text, "relu")) return nan || !negative ? bits : 0;
  return bits;
}

// Compares result[j] of an instruction with the value that is expected for the operands a[j], b[j], c[j].
template <class T>
void expect_all(std::string_view text, const Format& format, const T* result,
                const std::array<std::vector<T>, 3>& columns) {
  int shown = 0;
  for (std::size_t j = 0; j < columns[0].size() && shown < 5; ++j) {
    const std::array<Bits, 3> operands{columns[0][j], columns[1][j], columns[2][j]};
    const Bits wanted = expected(text, operands, format);
    // PTX defines no canonical NaN for f64, and abs and neg may return any NaN.
    const bool any_nan = format.bits == 64 || text.substr(0, 3) == "abs" || text.substr(0, 3) == "neg";
    if (result[j] == wanted) continue;
    if (any_nan && of_bits(wanted, format).is_nan() && of_bits(result[j], format).is_nan()) continue;
    ++shown;
    ADD_FAILURE() << text << std::hex << " of " << operands[0] << ", " << operands[1] << ", " << operands[2] << ": "
                  << Bits{result[j]} << ", expected " << wanted;
  }
}

}  // namespace conformance
