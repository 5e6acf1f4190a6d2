// SPDX-License-Identifier: Apache-2.0
//
// Reference floating-point arithmetic on integers, written from the definition: the exact result, rounded once. It
// shares no code with the executor.
#pragma once

#include <cstdint>
#include <cstring>

namespace exact {

__extension__ typedef unsigned __int128 Magnitude;
__extension__ typedef __int128 Integer;

enum class Mode { kNearestEven, kNearestAway, kZero, kDown, kUp };

// A format in the style of IEEE 754: total bits, significand bits including the implicit one, and the exponents of the
// smallest and largest normal numbers.
struct Format {
  int bits, precision, min_exponent, max_exponent;
};
constexpr Format kHalf{16, 11, -14, 15};
constexpr Format kBrain{16, 8, -126, 127};
constexpr Format kTensor32{19, 11, -126, 127};
constexpr Format kSingle{32, 24, -126, 127};
constexpr Format kDouble{64, 53, -1022, 1023};

// The value magnitude * 2^exponent; if `more` is set (a sticky bit), the true value is slightly further from zero.
struct Number {
  enum class Kind { kFinite, kInfinity, kNan } kind = Kind::kFinite;
  bool negative = false;
  Magnitude magnitude = 0;
  int exponent = 0;
  bool more = false;

  bool is_nan() const { return kind == Kind::kNan; }
  bool is_infinite() const { return kind == Kind::kInfinity; }
  bool is_zero() const { return kind == Kind::kFinite && magnitude == 0 && !more; }
};

inline Number nan() {
  Number number;
  number.kind = Number::Kind::kNan;
  return number;
}

inline Number infinity(bool negative) {
  Number number;
  number.kind = Number::Kind::kInfinity;
  number.negative = negative;
  return number;
}

inline Number of_integer(Integer value) {
  Number number;
  number.negative = value < 0;
  number.magnitude = value < 0 ? -static_cast<Magnitude>(value) : static_cast<Magnitude>(value);
  return number;
}

inline Number of_bits(std::uint64_t bits, const Format& format) {
  const int fraction_bits = format.precision - 1;
  const std::uint64_t fraction = bits & ((std::uint64_t{1} << fraction_bits) - 1);
  const int exponent_bits = format.bits - 1 - fraction_bits;
  const int field = static_cast<int>(bits >> fraction_bits & ((1u << exponent_bits) - 1));
  Number number;
  number.negative = (bits >> (format.bits - 1) & 1) != 0;
  if (field == (1 << exponent_bits) - 1) {
    number.kind = fraction == 0 ? Number::Kind::kInfinity : Number::Kind::kNan;
    return number;
  }
  number.magnitude = field == 0 ? fraction : fraction | std::uint64_t{1} << fraction_bits;
  number.exponent = (field == 0 ? format.min_exponent : format.min_exponent + field - 1) - fraction_bits;
  return number;
}

// Returns the position of the highest set bit, or -1 if there is none.
inline int top(Magnitude magnitude) {
  int place = -1;
  for (; magnitude != 0; magnitude >>= 1) ++place;
  return place;
}

// Rounds the number to a multiple of 2^unit and divides it by 2^unit.
inline Magnitude rounded_to_unit(const Number& number, int unit, Mode mode) {
  const int shift = unit - number.exponent;
  Magnitude whole = number.magnitude;
  int half = -1;  // sign of the discarded part minus half a unit
  bool inexact = number.more;
  if (shift <= 0) {
    whole <<= -shift;
  } else if (shift > 127) {
    whole = 0;
    inexact = inexact || number.magnitude != 0;
  } else {
    const Magnitude rest = number.magnitude & ((Magnitude{1} << shift) - 1), middle = Magnitude{1} << (shift - 1);
    whole >>= shift;
    inexact = inexact || rest != 0;
    half = rest < middle ? -1 : (rest > middle || number.more ? 1 : 0);
  }
  bool up = false;
  switch (mode) {
    case Mode::kNearestEven:
      up = half > 0 || (half == 0 && (whole & 1) != 0);
      break;
    case Mode::kNearestAway:
      up = half >= 0;
      break;
    case Mode::kZero:
      break;
    case Mode::kDown:
      up = inexact && number.negative;
      break;
    case Mode::kUp:
      up = inexact && !number.negative;
      break;
  }
  return whole + (up ? 1 : 0);
}

// Returns the bits of the number in this format. A NaN has all bits set except the sign.
inline std::uint64_t to_bits(const Number& number, const Format& format, Mode mode = Mode::kNearestEven) {
  const int fraction_bits = format.precision - 1;
  const std::uint64_t sign = std::uint64_t{number.negative} << (format.bits - 1);
  const std::uint64_t special = std::uint64_t{static_cast<unsigned>(format.max_exponent - format.min_exponent + 2)}
                                << fraction_bits;
  if (number.is_nan()) return (std::uint64_t{1} << (format.bits - 1)) - 1;
  if (number.is_infinite()) return sign | special;
  const int leading = top(number.magnitude) + number.exponent;
  const int exponent = number.magnitude != 0 && leading > format.min_exponent ? leading : format.min_exponent;
  const auto units = static_cast<std::uint64_t>(rounded_to_unit(number, exponent - fraction_bits, mode));
  // A carry out of the fraction increments the exponent, which is the correct result.
  const std::uint64_t steps = static_cast<std::uint64_t>(exponent - format.min_exponent) << fraction_bits;
  const std::uint64_t code = steps + units;
  if (code < special) return sign | code;
  const bool to_infinity = mode == Mode::kNearestEven || mode == Mode::kNearestAway ||
                           (mode == Mode::kUp && !number.negative) || (mode == Mode::kDown && number.negative);
  return sign | (to_infinity ? special : special - 1);
}

inline Number negated(Number number) {
  number.negative = !number.negative;
  return number;
}

inline Number product(const Number& a, const Number& b) {
  if (a.is_nan() || b.is_nan() || (a.is_infinite() && b.is_zero()) || (a.is_zero() && b.is_infinite())) return nan();
  if (a.is_infinite() || b.is_infinite()) return infinity(a.negative != b.negative);
  Number result;
  result.negative = a.negative != b.negative;
  result.magnitude = a.magnitude * b.magnitude;
  result.exponent = a.exponent + b.exponent;
  return result;
}

inline Number sum(const Number& a, const Number& b, Mode mode = Mode::kNearestEven) {
  if (a.is_nan() || b.is_nan() || (a.is_infinite() && b.is_infinite() && a.negative != b.negative)) return nan();
  if (a.is_infinite() || b.is_infinite()) return a.is_infinite() ? a : b;
  if (a.is_zero() && b.is_zero()) {
    Number zero = a;
    if (a.negative != b.negative) zero.negative = mode == Mode::kDown;
    return zero;
  }
  if (a.is_zero() || b.is_zero()) return a.is_zero() ? b : a;
  const bool a_first = top(a.magnitude) + a.exponent >= top(b.magnitude) + b.exponent;
  Number large = a_first ? a : b;
  const Number& small = a_first ? b : a;
  const int up = 125 - top(large.magnitude);
  large.magnitude <<= up;
  large.exponent -= up;
  const int down = large.exponent - small.exponent;
  Magnitude other = small.magnitude;
  bool lost = false;
  if (down > 127) {
    other = 0;
    lost = true;
  } else if (down > 0) {
    lost = (other & ((Magnitude{1} << down) - 1)) != 0;
    other >>= down;
  } else {
    other <<= -down;
  }
  large.more = lost;
  if (a.negative == b.negative) {
    large.magnitude += other;
  } else if (large.magnitude >= other) {
    large.magnitude -= other + (lost ? 1 : 0);
  } else {
    large.magnitude = other - large.magnitude;
    large.negative = !large.negative;
  }
  if (large.is_zero()) large.negative = mode == Mode::kDown;
  return large;
}

inline Number quotient(const Number& a, const Number& b) {
  if (a.is_nan() || b.is_nan() || (a.is_infinite() && b.is_infinite()) || (a.is_zero() && b.is_zero())) return nan();
  const bool negative = a.negative != b.negative;
  if (a.is_infinite() || b.is_zero()) return infinity(negative);
  Number result;
  result.negative = negative;
  if (b.is_infinite() || a.is_zero()) return result;
  const int up = 126 - top(a.magnitude);
  const Magnitude numerator = a.magnitude << up;
  result.magnitude = numerator / b.magnitude;
  result.more = numerator % b.magnitude != 0;
  result.exponent = a.exponent - up - b.exponent;
  return result;
}

inline Number square_root(const Number& a) {
  if (a.is_zero()) return a;
  if (a.is_nan() || a.negative) return nan();
  if (a.is_infinite()) return a;
  int up = 124 - top(a.magnitude);
  if (((a.exponent - up) & 1) != 0) ++up;
  const Magnitude square = a.magnitude << up;
  Magnitude root = 0;
  for (int place = 63; place >= 0; --place) {
    const Magnitude next = root | Magnitude{1} << place;
    if (next * next <= square) root = next;
  }
  Number result;
  result.magnitude = root;
  result.more = root * root != square;
  result.exponent = (a.exponent - up) / 2;
  return result;
}

// Rounds the number to an integer and clamps it to [least, most].
inline Integer to_integer(const Number& number, Integer least, Integer most, Mode mode) {
  if (number.is_infinite() || top(number.magnitude) + number.exponent > 100) return number.negative ? least : most;
  const Magnitude magnitude = rounded_to_unit(number, 0, mode);
  const Integer value = number.negative ? -static_cast<Integer>(magnitude) : static_cast<Integer>(magnitude);
  return value < least ? least : (value > most ? most : value);
}

inline std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline std::uint64_t bits_of(double value) {
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline Number of(float value) { return of_bits(bits_of(value), kSingle); }
inline Number of(double value) { return of_bits(bits_of(value), kDouble); }

// Applies .ftz in a format: subnormal numbers become zeros with the same sign.
inline std::uint64_t flushed(std::uint64_t bits, const Format& format) {
  const std::uint64_t sign = bits & std::uint64_t{1} << (format.bits - 1);
  return (bits ^ sign) >> (format.precision - 1) == 0 ? sign : bits;
}

}  // namespace exact
