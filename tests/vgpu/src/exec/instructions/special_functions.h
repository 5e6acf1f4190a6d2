// SPDX-License-Identifier: Apache-2.0
//
// The special functions, which a GPU approximates with table lookups. Each has a value, exact except for the rounding
// to double, and for each format the error bound of the approximation.
#pragma once

#include <array>
#include <cmath>

#include "exec/instructions/approximation.h"

namespace vgpu {

inline double clamped(double x, double limit) {
  const double above = x < -limit ? -limit : x;
  return above > limit ? limit : above;
}

// Computes 2^x for |x| <= 300 with an error of 1e-15: 2^n times the series of exp on [-ln 2 / 2, ln 2 / 2].
inline double power(double x) {
  constexpr std::array<double, 13> kInverseFactorials = [] {
    std::array<double, 13> inverse{};
    double factorial = 1;
    for (std::size_t k = 0; k < inverse.size(); ++k) {
      inverse[k] = 1 / factorial;
      factorial *= static_cast<double>(k + 1);
    }
    return inverse;
  }();
  constexpr double kWhole = 0x1.8p52;  // adding it rounds to a whole number, held in the lowest bits
  const double shifted = x + kWhole;
  const double y = (x - (shifted - kWhole)) * 0.69314718055994530942;
  double series = 0;
  for (std::size_t k = kInverseFactorials.size(); k-- > 0;) series = series * y + kInverseFactorials[k];
  return series * bits_as<double>((bits_as<std::uint64_t>(shifted) + 1023) << 52);
}

struct ReciprocalOf {
  static double value(double x) { return 1 / x; }
  template <class Format>
  static Bound bound(double) {
    return bounds::kReciprocal;
  }
};

struct SquareRootOf {
  static double value(double x) { return std::sqrt(x); }
  template <class Format>
  static Bound bound(double) {
    return bounds::kSquareRoot;
  }
};

struct ReciprocalRootOf {
  static double value(double x) { return 1 / std::sqrt(x); }
  template <class Format>
  static Bound bound(double) {
    return bounds::kReciprocalRoot;
  }
};

// div.full: a / b, with a relaxed error bound.
struct QuotientOf {
  static double value(double a, double b) { return a / b; }
  template <class Format>
  static Bound bound(double, double) {
    return bounds::kQuotient;
  }
};

// div.approx: a times the reciprocal of b, which is flushed to zero where it would be subnormal.
struct ProductWithReciprocalOf {
  static double value(double a, double b) { return std::fabs(b) > 0x1p126 ? a * std::copysign(0.0, b) : a / b; }
  template <class Format>
  static Bound bound(double, double) {
    return bounds::kQuotient;
  }
};

struct ExponentialOf {
  // Results above 2^300 are infinite and results below 2^-300 are zero in all formats.
  static double value(double x) { return x == x ? power(clamped(x, 300)) : x; }
  template <class Format>
  static Bound bound(double x) {
    // CUDA's mathematical functions compute powers of two with it and rely on exact results.
    if (x == std::trunc(x)) return {};
    if (std::is_same_v<Format, Half>) return bounds::kHalfExponential;
    if (std::is_same_v<Format, Brain>) return bounds::kBrainExponential;
    return bounds::kExponential;
  }
};

struct LogarithmOf {
  static double value(double x) { return std::log2(x); }
  template <class Format>
  static Bound bound(double x) {
    return x > 0.5 && x < 2 ? bounds::kLogarithmNearOne : bounds::kLogarithm;
  }
};

struct SineOf {
  static double value(double x) { return std::sin(x); }
  template <class Format>
  static Bound bound(double x) {
    constexpr double kTwoPi = 6.28318530717958647692;
    return std::fabs(x) <= kTwoPi ? bounds::kSine : bounds::kSineOfLarge;
  }
};

struct CosineOf : SineOf {
  static double value(double x) { return std::cos(x); }
};

struct TangentOf {
  static double value(double x) {
    const double series = x * (1 - x * x / 3);  // where it is used, the next term is less than 2^-50 of the first
    const double e = power(clamped(x, 60) * 2.88539008177792681472);
    const double quotient = (e - 1) / (e + 1);
    const double number = std::fabs(x) < 0x1p-12 ? series : quotient;
    return x == x ? number : x;
  }
  template <class Format>
  static Bound bound(double) {
    if (std::is_same_v<Format, Half>) return bounds::kHalfTangent;
    if (std::is_same_v<Format, Brain>) return bounds::kBrainTangent;
    return bounds::kTangent;
  }
};

}  // namespace vgpu
