// SPDX-License-Identifier: Apache-2.0
//
// Checks tanh.approx and ex2.approx of f16 and bf16, single and packed, for all operand values against the errors and
// special cases that the PTX ISA documents.
#include <cmath>
#include <limits>

#include "arithmetic_reference.h"
#include "elementwise.cuh"

namespace conformance::half_function_test {

using Word = std::uint32_t;

__global__ void functions_of_halves(Word* out, int count, const Word* a) {
  const int i = Results<Word>::index();
  if (i >= count) return;
  Results<Word> results(out, count);
  const Word x = a[i];
  Word d;
  asm("tanh.approx.f16x2 %0, %1;" : "=r"(d) : "r"(x));
  results.put(d);
  asm("ex2.approx.f16x2 %0, %1;" : "=r"(d) : "r"(x));
  results.put(d);
  asm("{.reg .b16 l, h; mov.b32 {l, h}, %1; tanh.approx.f16 l, l; tanh.approx.f16 h, h; mov.b32 %0, {l, h};}"
      : "=r"(d)
      : "r"(x));
  results.put(d);
  asm("{.reg .b16 l, h; mov.b32 {l, h}, %1; ex2.approx.f16 l, l; ex2.approx.f16 h, h; mov.b32 %0, {l, h};}"
      : "=r"(d)
      : "r"(x));
  results.put(d);
}

__global__ void functions_of_brains(Word* out, int count, const Word* a) {
#if __CUDA_ARCH__ >= 900
  const int i = Results<Word>::index();
  if (i >= count) return;
  Results<Word> results(out, count);
  const Word x = a[i];
  Word d;
  asm("tanh.approx.bf16x2 %0, %1;" : "=r"(d) : "r"(x));
  results.put(d);
  asm("ex2.approx.ftz.bf16x2 %0, %1;" : "=r"(d) : "r"(x));
  results.put(d);
  asm("{.reg .b16 l, h; mov.b32 {l, h}, %1; tanh.approx.bf16 l, l; tanh.approx.bf16 h, h; mov.b32 %0, {l, h};}"
      : "=r"(d)
      : "r"(x));
  results.put(d);
  asm("{.reg .b16 l, h; mov.b32 {l, h}, %1; ex2.approx.ftz.bf16 l, l; ex2.approx.ftz.bf16 h, h; mov.b32 %0, {l, h};}"
      : "=r"(d)
      : "r"(x));
  results.put(d);
#endif
}

double value_of(Bits bits, const Format& format) {
  const Number number = of_bits(bits, format);
  if (number.is_nan()) return std::numeric_limits<double>::quiet_NaN();
  const double magnitude = number.is_infinite() ? std::numeric_limits<double>::infinity()
                                                : std::ldexp(static_cast<double>(number.magnitude), number.exponent);
  return number.negative ? -magnitude : magnitude;
}

// The packed operands contain all 65536 values twice: in ascending order in the lower halves, in descending order in
// the upper.
void check_halves(void (*kernel)(Word*, int, const Word*), const Format& format, double tangent_error,
                  double exponential_error, bool flush) {
  std::vector<Word> values;
  for (Word i = 0; i < 0x10000; ++i) values.push_back((0xffff - i) << 16 | i);
  const std::vector<Word> results = apply(kernel, 4, values);
  for (std::size_t i = 0; i < 4; ++i) {
    int shown = 0;
    for (std::size_t j = 0; j < 2 * values.size() && shown < 5; ++j) {
      const unsigned shift = j % 2 == 0 ? 0 : 16;
      const Bits bits = values[j / 2] >> shift & 0xffff, result = results[i * values.size() + j / 2] >> shift & 0xffff;
      const bool tangent = i % 2 == 0;
      const double x = value_of(!tangent && flush ? exact::flushed(bits, format) : bits, format);
      const double exact_value = tangent ? std::tanh(x) : std::exp2(x), value = value_of(result, format);
      const double smallest = std::ldexp(1, format.min_exponent), largest = std::ldexp(2, format.max_exponent);
      bool good;
      if (std::isnan(x)) {
        good = result == 0x7fff;
      } else if (x == 0 || std::isinf(x)) {
        good = value == exact_value && std::signbit(value) == std::signbit(exact_value);
      } else if (tangent) {
        good = std::fabs(value - exact_value) <= tangent_error;
      } else if (std::isinf(value)) {
        good = exact_value * (1 + exponential_error) > largest * (1 - std::ldexp(0.5, -format.precision));
      } else if (flush && exact_value < smallest) {
        good = value == 0;
      } else {
        // A subnormal result also has a rounding error of its own.
        good = std::fabs(value - exact_value) <=
               std::max(exponential_error * exact_value, std::ldexp(smallest, -format.precision));
      }
      if (good) continue;
      ++shown;
      ADD_FAILURE() << (tangent ? "tanh" : "ex2") << " of " << x << ": " << value << ", expected " << exact_value;
    }
  }
}

TEST(HalfFunction, OfHalves) {
  check_halves(functions_of_halves, exact::kHalf, std::exp2(-10.987), std::exp2(-9.9), false);
}

TEST(HalfFunction, OfBrains) {
  if (code_architecture() < 90) GTEST_SKIP() << "needs sm_90";
  check_halves(functions_of_brains, exact::kBrain, std::exp2(-8), std::exp2(-7), true);
}

}  // namespace conformance::half_function_test
