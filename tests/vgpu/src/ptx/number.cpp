// SPDX-License-Identifier: Apache-2.0
#include "ptx/number.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string>

namespace vgpu::ptx {

namespace {

using Kind = Constant::Kind;

template <class To, class From>
To reinterpreted(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

std::uint64_t digits(std::string_view text, int base, const Token& number) {
  std::uint64_t value = 0;
  const auto [after, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || after != text.data() + text.size()) {
    fail(number.line, "expected a number of at most 64 bits, got '" + std::string(number.text) + "'");
  }
  return value;
}

Constant float_literal(const Token& number, Kind kind, std::size_t width) {
  if (number.text.size() != 2 + width) {
    fail(number.line,
         "expected " + std::to_string(width) + " hexadecimal digits, got '" + std::string(number.text) + "'");
  }
  return {kind, digits(number.text.substr(2), 16, number)};
}

Constant decimal(const Token& number) {
  const std::string text(number.text);
  char* after = nullptr;
  const double value = std::strtod(text.c_str(), &after);
  if (*after != '\0') fail(number.line, "expected a number, got '" + text + "'");
  return {Kind::kDecimal, reinterpreted<std::uint64_t>(value)};
}

Constant integer(const Token& number, std::string_view text, int base) {
  const bool is_unsigned = text.back() == 'U';
  if (is_unsigned) text.remove_suffix(1);
  const std::uint64_t value = digits(text, base, number);
  return {is_unsigned || value >> 63 != 0 ? Kind::kUnsigned : Kind::kSigned, value};
}

}  // namespace

Constant number_of(const Token& number) {
  const std::string_view text = number.text;
  const char prefix = text.size() > 1 && text[0] == '0' ? text[1] : '\0';
  switch (prefix) {
    case 'f':
    case 'F':
      return float_literal(number, Kind::kSingle, 8);
    case 'd':
    case 'D':
      return float_literal(number, Kind::kDouble, 16);
    case 'x':
    case 'X':
      return integer(number, text.substr(2), 16);
    case 'b':
    case 'B':
      return integer(number, text.substr(2), 2);
    default:
      break;
  }
  if (text.find_first_of(".eE") != std::string_view::npos) return decimal(number);
  return integer(number, text, prefix >= '0' && prefix <= '7' ? 8 : 10);
}

std::uint64_t stored_as(const Constant& constant, Type type, std::uint32_t line) {
  const bool takes_single = type == Type::kF32 || type == Type::kB32;
  const bool takes_double = type == Type::kF64 || type == Type::kB64;
  if (constant.is_integer()) {
    if (is_float(type)) fail(line, "expected a floating-point number, got an integer");
    return constant.bits;
  }
  if (!takes_single && !takes_double) fail(line, "expected an integer, got a floating-point number");
  // ptxas uses the bits of a 0f literal unchanged even for an f64 variable, but rounds a 0d literal for an f32
  // variable.
  if (constant.kind == Kind::kSingle || takes_double) return constant.bits;
  return reinterpreted<std::uint32_t>(static_cast<float>(reinterpreted<double>(constant.bits)));
}

}  // namespace vgpu::ptx
