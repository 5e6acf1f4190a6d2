// SPDX-License-Identifier: Apache-2.0
//
// Lists the comparison operators of PTX by name, and defines them on the host.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "elementwise.cuh"

namespace conformance {

// Calls the macro X with the name of each operator, followed by the other arguments.
#define EQUALITIES(X, ...) X("eq", __VA_ARGS__) X("ne", __VA_ARGS__)
// clang-format off
#define ORDERS(X, ...) \
  EQUALITIES(X, __VA_ARGS__) X("lt", __VA_ARGS__) X("le", __VA_ARGS__) X("gt", __VA_ARGS__) X("ge", __VA_ARGS__)
#define UNSIGNED_ORDERS(X, ...) \
  ORDERS(X, __VA_ARGS__) X("lo", __VA_ARGS__) X("ls", __VA_ARGS__) X("hi", __VA_ARGS__) X("hs", __VA_ARGS__)
#define FLOAT_ORDERS(X, ...) \
  ORDERS(X, __VA_ARGS__) \
  X("equ", __VA_ARGS__) \
  X("neu", __VA_ARGS__) \
  X("ltu", __VA_ARGS__) \
  X("leu", __VA_ARGS__) X("gtu", __VA_ARGS__) X("geu", __VA_ARGS__) X("num", __VA_ARGS__) X("nan", __VA_ARGS__)
// clang-format on
#define NAME_OF(name, ...) name,

enum class Relation { kLess, kEqual, kGreater, kUnordered };

template <class T>
Relation relation(T a, T b) {
  if (a != a || b != b) return Relation::kUnordered;
  return a < b ? Relation::kLess : a == b ? Relation::kEqual : Relation::kGreater;
}

// Returns whether a comparison such as "lt" holds for this relation; "ltu" also holds for unordered operands.
inline bool holds(std::string comparison, Relation relation) {
  const std::vector<std::pair<std::string, std::string>> synonyms = {
      {"lo", "lt"}, {"ls", "le"}, {"hi", "gt"}, {"hs", "ge"}};
  for (const auto& [synonym, name] : synonyms)
    if (comparison == synonym) comparison = name;
  if (comparison == "num") return relation != Relation::kUnordered;
  if (comparison == "nan") return relation == Relation::kUnordered;
  if (relation == Relation::kUnordered) return comparison.size() == 3;
  comparison.resize(2);
  if (comparison == "eq") return relation == Relation::kEqual;
  if (comparison == "ne") return relation != Relation::kEqual;
  if (comparison == "lt") return relation == Relation::kLess;
  if (comparison == "le") return relation != Relation::kGreater;
  if (comparison == "gt") return relation == Relation::kGreater;
  return relation != Relation::kLess;
}

// Returns the value of a floating-point number with the given numbers of bits in total and in its fraction.
inline double value_of(std::uint64_t bits, int size, int fraction_bits) {
  const int exponent_bits = size - 1 - fraction_bits, most = (1 << exponent_bits) - 1;
  const auto exponent = static_cast<int>(bits >> fraction_bits & static_cast<std::uint64_t>(most));
  const std::uint64_t fraction = bits & ((std::uint64_t{1} << fraction_bits) - 1);
  const double sign = (bits >> (size - 1) & 1) != 0 ? -1 : 1;
  if (exponent == most) return fraction != 0 ? std::nan("") : sign * INFINITY;
  const double significand =
      static_cast<double>(exponent == 0 ? fraction : fraction | std::uint64_t{1} << fraction_bits);
  return sign * std::ldexp(significand, std::max(exponent, 1) - (most / 2) - fraction_bits);
}

// Returns the operand's value as an instruction with .ftz reads it.
inline double flushed_value_of(std::uint64_t bits, int size, int fraction_bits) {
  const double value = value_of(bits, size, fraction_bits);
  const int bias = (1 << (size - 2 - fraction_bits)) - 1;
  return std::fabs(value) < std::ldexp(1.0, 1 - bias) ? 0.0 : value;
}

}  // namespace conformance
