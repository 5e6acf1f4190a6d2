// SPDX-License-Identifier: Apache-2.0
//
// The error bounds of .approx instructions, and results that deviate from the exact value within these bounds.
#pragma once

#include <cmath>
#include <cstdint>

#include "exec/instructions/float_rules.h"
#include "exec/instructions/half.h"

namespace vgpu {

// The bound on |result - exact| is the sum of these terms.
struct Bound {
  double relative = 0;  // relative to |exact|
  double absolute = 0;
  double ulps = 0;  // in units in the last place (ulp) of the exact value
};

// From the PTX ISA 9.0, sections "Floating Point Instructions" and "Half Precision Floating Point Instructions".
namespace bounds {
const Bound kReciprocal{0, 0, 1};
const Bound kQuotient{0, 0, 2};
const Bound kSquareRoot{std::exp2(-23), 0, 0};
const Bound kReciprocalRoot{std::exp2(-22.9), 0, 0};
const Bound kExponential{0, 0, 2};
const Bound kLogarithmNearOne{0, std::exp2(-22), 0};  // for arguments in (0.5, 2)
const Bound kLogarithm{std::exp2(-22), 0, 0};
const Bound kSine{0, std::exp2(-20.5), 0};         // also of the cosine, for arguments in [-2 pi, 2 pi]
const Bound kSineOfLarge{0, std::exp2(-14.7), 0};  // for arguments in [-100 pi, 100 pi]; there is no bound beyond
const Bound kTangent{std::exp2(-11), 0, 0};        // hyperbolic tangent
const Bound kHalfTangent{0, std::exp2(-10.987), 0};
const Bound kBrainTangent{0, std::exp2(-8), 0};
const Bound kHalfExponential{std::exp2(-9.9), 0, 0};
const Bound kBrainExponential{std::exp2(-7), 0, 0};
}  // namespace bounds

template <class Format>
double last_place(double x) {
  return x == 0 ? 0 : std::ldexp(1, std::max(std::ilogb(x), Format::kMinExponent) + 1 - Format::kPrecision);
}

// Returns a number in [-1, 1) that depends on the seed and the operands only, so that the same operands always have the
// same deviation.
inline double deviation(std::uint64_t seed, std::uint64_t operands) {
  std::uint64_t x = seed * 0x9e3779b97f4a7c15u ^ operands;
  for (const std::uint64_t factor : {0xbf58476d1ce4e5b9u, 0x94d049bb133111ebu}) {
    x ^= x >> 31;
    x *= factor;
  }
  return static_cast<double>(static_cast<std::int64_t>(x ^ x >> 32)) * 0x1p-63;
}

// Returns a result of this format that differs from the exact value by up to the bound; `by` is in [-1, 1].
template <class Format>
double perturbed(double exact, const Bound& bound, double by) {
  const double ulp = last_place<Format>(exact);
  const double allowed = bound.relative * std::fabs(exact) + bound.absolute + bound.ulps * ulp;
  const double left = allowed - ulp / 2;  // the final rounding may take half an ulp
  if (left <= 0) return rounded<Format>(exact);
  const double result = rounded<Format>(exact + by * left);
  return std::fabs(result - exact) <= allowed ? result : rounded<Format>(exact);
}

}  // namespace vgpu
