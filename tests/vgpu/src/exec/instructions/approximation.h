// SPDX-License-Identifier: Apache-2.0
//
// How far off the results of .approx instructions may be, and results that are.
#pragma once

#include <cmath>
#include <cstdint>

#include "exec/instructions/float_rules.h"
#include "exec/instructions/half.h"

namespace vgpu {

// The sum of these is the bound on |result - exact|.
struct Bound {
  double relative = 0;  // of |exact|
  double absolute = 0;
  double ulps = 0;  // units in the last place of the exact value
};

// From the PTX ISA 9.0, "Floating Point Instructions" and "Half Precision Floating Point Instructions".
namespace bounds {
const Bound kReciprocal{0, 0, 1};
const Bound kQuotient{0, 0, 2};
const Bound kSquareRoot{std::exp2(-23), 0, 0};
const Bound kReciprocalRoot{std::exp2(-22.9), 0, 0};
const Bound kExponential{0, 0, 2};
const Bound kLogarithmNearOne{0, std::exp2(-22), 0};  // of arguments in (0.5, 2)
const Bound kLogarithm{std::exp2(-22), 0, 0};
const Bound kSine{0, std::exp2(-20.5), 0};         // and cosine, of arguments in [-2 pi, 2 pi]
const Bound kSineOfLarge{0, std::exp2(-14.7), 0};  // in [-100 pi, 100 pi]; beyond, nothing is promised
const Bound kTangent{std::exp2(-11), 0, 0};        // the hyperbolic one
const Bound kHalfTangent{0, std::exp2(-10.987), 0};
const Bound kBrainTangent{0, std::exp2(-8), 0};
const Bound kHalfExponential{std::exp2(-9.9), 0, 0};
const Bound kBrainExponential{std::exp2(-7), 0, 0};
}  // namespace bounds

template <class Format>
double last_place(double x) {
  return x == 0 ? 0 : std::ldexp(1, std::max(std::ilogb(x), Format::kMinExponent) + 1 - Format::kPrecision);
}

// A number in [-1, 1) that follows from the seed and the operands alone: the same operands are off by the same every
// time.
inline double deviation(std::uint64_t seed, std::uint64_t operands) {
  std::uint64_t x = seed * 0x9e3779b97f4a7c15u ^ operands;
  for (const std::uint64_t factor : {0xbf58476d1ce4e5b9u, 0x94d049bb133111ebu}) {
    x ^= x >> 31;
    x *= factor;
  }
  return static_cast<double>(static_cast<std::int64_t>(x ^ x >> 32)) * 0x1p-63;
}

// A result of this format that differs from the exact one by up to the bound; by is in [-1, 1].
template <class Format>
double perturbed(double exact, const Bound& bound, double by) {
  const double ulp = last_place<Format>(exact);
  const double allowed = bound.relative * std::fabs(exact) + bound.absolute + bound.ulps * ulp;
  const double left = allowed - ulp / 2;  // rounding takes the rest
  if (left <= 0) return rounded<Format>(exact);
  const double result = rounded<Format>(exact + by * left);
  return std::fabs(result - exact) <= allowed ? result : rounded<Format>(exact);
}

}  // namespace vgpu
