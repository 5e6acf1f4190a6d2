// SPDX-License-Identifier: Apache-2.0
//
// Scaled: a double that carries the scale by which its rounding error is judged, which becomes Sum::terms. The
// operators apply first-order rules, so that a formula is written once and its scale follows:
//
//   an input          |a|
//   a + b, a - b      s_a + s_b                       so a reduction has the sum of its absolute terms
//   a b               s_a |b| + |a| s_b - |a b|       the excess of each factor over its value is carried along
//   exp a             (1 + s_a) exp(a)
//   log a             |log a| + s_a / |a|
//   tanh a, sigmoid a 1 + |derivative| s_a            good implementations of bounded functions round to within a unit
//                                                     of 1, not of the value: tanh x = 1 - 2 / (1 + exp(2x))
//
// So the score's S_e enters the weights as alpha S_e, then the context as alpha S_e |x|. A scale thus bounds, in
// units of the rounding error, what reordering and rounding can do; how far errors add up is left to the tolerance.
//
// The formulas of this folder are templates over their number: Scaled makes the reference, float the plain fp32
// loops that backends are compared with.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "reference/sum.h"

namespace attn::reference {

struct Scaled {
  double value = 0;
  double scale = 0;

  Scaled() = default;
  Scaled(double input) : value(input), scale(std::abs(input)) {}
  Scaled(double the_value, double the_scale) : value(the_value), scale(the_scale) {}
};

inline Scaled operator+(Scaled a, Scaled b) { return {a.value + b.value, a.scale + b.scale}; }
inline Scaled operator-(Scaled a, Scaled b) { return {a.value - b.value, a.scale + b.scale}; }
inline Scaled operator*(Scaled a, Scaled b) {
  const double product = a.value * b.value;
  return {product, a.scale * std::abs(b.value) + std::abs(a.value) * b.scale - std::abs(product)};
}
inline Scaled& operator+=(Scaled& a, Scaled b) { return a = a + b; }

// |derivative| scale; a saturated function forgets even an infinite argument.
inline double chain(double derivative, double scale) { return derivative == 0 ? 0 : std::abs(derivative) * scale; }

inline Scaled tanh(Scaled a) {
  const double t = std::tanh(a.value);
  return {t, 1 + chain(1 - t * t, a.scale)};
}
inline Scaled sigmoid(Scaled a) {
  const double s = 1 / (1 + std::exp(-a.value));
  return {s, 1 + chain(s * (1 - s), a.scale)};
}
inline Scaled exp(Scaled a) {
  const double e = std::exp(a.value);
  return {e, chain(e, 1 + a.scale)};
}
inline Scaled log(Scaled a) {
  const double l = std::log(a.value);
  return {l, std::abs(l) + a.scale / std::abs(a.value)};
}

inline float tanh(float a) { return std::tanh(a); }
inline float sigmoid(float a) { return 1 / (1 + std::exp(-a)); }
inline float exp(float a) { return std::exp(a); }
inline float log(float a) { return std::log(a); }

// The value without its scale.
inline double plain(Scaled a) { return a.value; }
inline float plain(float a) { return a; }

// The value with another scale.
inline Scaled rescaled(Scaled a, double scale) { return {a.value, scale}; }
inline float rescaled(float a, double) { return a; }

template <class Number>
std::vector<Number> numbers(const std::vector<double>& inputs) {
  std::vector<Number> converted;
  converted.reserve(inputs.size());
  for (double input : inputs) converted.push_back(static_cast<Number>(input));
  return converted;
}

template <class Number>
std::vector<Number> zeros(std::int64_t count) {
  return std::vector<Number>(count, Number(0));
}

inline Sum to_sum(const std::vector<Scaled>& scaled) {
  Sum sum;
  sum.value.reserve(scaled.size());
  sum.terms.reserve(scaled.size());
  for (const Scaled& number : scaled) {
    sum.value.push_back(number.value);
    sum.terms.push_back(number.scale);
  }
  return sum;
}

// The number of valid positions of item b.
inline std::int64_t valid_length(const std::vector<std::int32_t>& lengths, std::int64_t b, std::int64_t T) {
  return lengths.empty() ? T : lengths[b];
}

}  // namespace attn::reference
