// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic of f16, bf16 and their packed pairs, computed in double. A sum or product of two halves is either exact in
// double, or double is so much wider than a half that rounding twice gives the same result as rounding once (53 >= 2 *
// 11 + 2 bits). This does not hold for fma: its double result is rounded to odd, which preserves for the second
// rounding on which side of the double the exact value lies.
#include "exec/instructions/half.h"

#include "exec/instructions/by_type.h"
#include "exec/instructions/float_rules.h"
#include "exec/instructions/floats.h"
#include "exec/instructions/vector_loop.h"

namespace vgpu {
namespace {

using ptx::Type;

struct HalfSum {
  double operator()(double a, double b) const { return a + b; }
};

struct HalfDifference {
  double operator()(double a, double b) const { return a - b; }
};

struct HalfProduct {
  double operator()(double a, double b) const { return a * b; }
};

struct HalfFusedProductSum {
  double operator()(double a, double b, double c) const {
    const double product = a * b;  // exact
    const double sum = product + c;
    // The rounding error of the addition, computed exactly.
    const double added = sum - product;
    const double lost = (product - (sum - added)) + (c - added);
    const std::int64_t away = (sum > 0) == (lost > 0) ? 1 : -1;
    const auto bits = bits_as<std::int64_t>(sum);
    const bool inexact = lost > 0 || lost < 0;
    return bits_as<double>(inexact && (bits & 1) == 0 ? bits + away : bits);
  }
};

enum class Clamp { kNone, kUnit, kPositive };  // no clamping, .sat, .relu

template <class Format, class Operation, bool kFlush, Clamp kClamp>
struct RuledHalf {
  template <class... Bits>
  std::uint16_t operator()(Bits... x) const {
    double result;
    if constexpr (kFlush) {
      result = without_subnormals<Format>(
          rounded<Format>(Operation{}(without_subnormals<Format>(double{widened<Format>(x)})...)));
    } else {
      result = rounded<Format>(Operation{}(double{widened<Format>(x)}...));
    }
    if constexpr (kClamp == Clamp::kUnit) result = saturated(result);
    if constexpr (kClamp == Clamp::kPositive) result = rectified(result);
    return encoded<Format>(result);
  }
};

template <class Format, class Operation, unsigned kInputs, bool kFlush, Clamp kClamp>
Handler handler_for(bool pair) {
  using Rule = RuledHalf<Format, Operation, kFlush, kClamp>;
  return pair ? vector_loop_over<Rule, 2, std::uint16_t, kInputs>()
              : vector_loop_over<Rule, 1, std::uint16_t, kInputs>();
}

template <class Operation, unsigned kInputs>
void decode(Decoder& d) {
  constexpr bool kFused = kInputs == 3;
  if (!d.take("rn") && kFused) d.unknown("expected .rn");
  const bool flush = d.take("ftz"), saturate = d.take("sat"), rectify = kFused && d.take("relu");
  const Type type = d.take_type();
  const bool pair = type == Type::kF16x2 || type == Type::kBF16x2;
  Handler handler = nullptr;
  if (type == Type::kF16 || type == Type::kF16x2) {
    handler = with_flags(
        [&](auto flushes) {
          if (saturate) return handler_for<Half, Operation, kInputs, flushes, Clamp::kUnit>(pair);
          if (rectify) return handler_for<Half, Operation, kInputs, flushes, Clamp::kPositive>(pair);
          return handler_for<Half, Operation, kInputs, flushes, Clamp::kNone>(pair);
        },
        flush);
    if (saturate && rectify) d.unknown();
  } else if (!flush && !saturate) {
    handler = rectify ? handler_for<Brain, Operation, kInputs, false, Clamp::kPositive>(pair)
                      : handler_for<Brain, Operation, kInputs, false, Clamp::kNone>(pair);
  }
  set_handler(d, Pipe::kFma, handler);
  if constexpr (kFused) {
    take_operands(d, type, {type, type, type});
  } else {
    take_operands(d, type, {type, type});
  }
}

}  // namespace

void decode_half_arithmetic(Decoder& d) {
  const std::string& opcode = d.instruction().opcode;
  if (opcode == "add") return decode<HalfSum, 2>(d);
  if (opcode == "sub") return decode<HalfDifference, 2>(d);
  if (opcode == "mul") return decode<HalfProduct, 2>(d);
  if (opcode == "fma") return decode<HalfFusedProductSum, 3>(d);
  d.unknown();
}

}  // namespace vgpu
