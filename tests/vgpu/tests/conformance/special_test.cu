// SPDX-License-Identifier: Apache-2.0
//
// Checks the .approx instructions against the errors and special cases that the PTX ISA documents.
#include <cmath>
#include <limits>

#include "arithmetic_reference.h"
#include "elementwise.cuh"

namespace conformance::special_test {

using Word = std::uint32_t;

// asm accepts only a string literal, so the instruction's text is a macro argument.
#define TEXT(text) text,
// clang-format off
#define SINGLE_INSTRUCTIONS(X) \
  X("rcp.approx.f32") X("rcp.approx.ftz.f32") X("sqrt.approx.f32") X("sqrt.approx.ftz.f32") X("rsqrt.approx.f32") \
  X("rsqrt.approx.ftz.f32") X("sin.approx.f32") X("sin.approx.ftz.f32") X("cos.approx.f32") \
  X("cos.approx.ftz.f32") X("lg2.approx.f32") X("lg2.approx.ftz.f32") X("ex2.approx.f32") X("ex2.approx.ftz.f32") \
  X("tanh.approx.f32")
// clang-format on
#define QUOTIENTS(X) X("div.full.f32") X("div.full.ftz.f32") X("div.approx.f32") X("div.approx.ftz.f32")
#define APPLY(text)                        \
  asm(text " %0, %1;" : "=f"(d) : "f"(x)); \
  results.put(__float_as_uint(d));
#define DIVIDE(text)                                   \
  asm(text " %0, %1, %2;" : "=f"(d) : "f"(x), "f"(y)); \
  results.put(__float_as_uint(d));

__global__ void singles(Word* out, int count, const Word* a) {
  const int i = Results<Word>::index();
  if (i >= count) return;
  Results<Word> results(out, count);
  const float x = __uint_as_float(a[i]);
  float d;
  SINGLE_INSTRUCTIONS(APPLY)
}

__global__ void quotients(Word* out, int count, const Word* a, const Word* b) {
  const int i = Results<Word>::index();
  if (i >= count) return;
  Results<Word> results(out, count);
  const float x = __uint_as_float(a[i]), y = __uint_as_float(b[i]);
  float d;
  QUOTIENTS(DIVIDE)
}

float of_word(Word bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

double ulp_of(double x) { return std::ldexp(1, std::max(x == 0 ? -126 : std::ilogb(x), -126) - 23); }

struct Expectation {
  double value;
  double error;  // the largest allowed error; if negative, any result is allowed
};

// Returns the exact result for x and its documented error bound.
Expectation expectation(std::string_view text, double x) {
  const std::string_view opcode = text.substr(0, text.find('.'));
  if (opcode == "rcp") return {1 / x, ulp_of(1 / x)};
  if (opcode == "sqrt") return {std::sqrt(x), std::exp2(-23) * std::sqrt(x)};
  if (opcode == "rsqrt") return {1 / std::sqrt(x), std::exp2(-22.9) / std::sqrt(x)};
  if (opcode == "ex2") return {std::exp2(x), 2.5 * ulp_of(std::exp2(x))};  // 2 ulp from the correctly rounded result
  if (opcode == "tanh") return {std::tanh(x), std::exp2(-11) * std::fabs(std::tanh(x))};
  if (opcode == "lg2") {
    const double value = std::log2(x), error = std::exp2(-22);
    return {value, x > 0.5 && x < 2 ? error : error * std::fabs(value)};
  }
  constexpr double kPi = 3.14159265358979323846;
  const double size = std::fabs(x);
  const double error = size <= 2 * kPi ? std::exp2(-20.5) : (size <= 100 * kPi ? std::exp2(-14.7) : -1);
  return {opcode == "sin" ? std::sin(x) : std::cos(x), error};
}

// Returns whether a result is within the error bound; zeros, infinities and the canonical NaN must match exactly.
bool accepted(Word result, Expectation wanted, bool flush, bool exact_special) {
  const float value = of_word(result);
  if (std::isnan(wanted.value)) return result == 0x7fffffff;
  const bool may_be_flushed = flush && std::fabs(wanted.value) - wanted.error < std::numeric_limits<float>::min();
  if (may_be_flushed && value == 0 && std::signbit(value) == std::signbit(wanted.value)) return true;
  if (exact_special || std::isinf(wanted.value))
    return static_cast<float>(wanted.value) == value && std::signbit(value) == std::signbit(wanted.value);
  if (flush && value != 0 && std::fabs(value) < std::numeric_limits<float>::min()) return false;
  if (wanted.error < 0) return std::isfinite(value);
  // Near the largest finite number, the rounded result may be infinite, because the exact result may round to infinity.
  if (std::isinf(value)) return std::fabs(wanted.value) + wanted.error >= 0x1.ffffffp127;
  return std::fabs(double{value} - wanted.value) <= wanted.error;
}

std::vector<Word> arguments() {
  std::vector<Word> values = {0x00000000, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001, 0x00000001,
                              0x80000001, 0x007fffff, 0x807fffff, 0x00800000, 0x80800000, 0x7f7fffff, 0xff7fffff,
                              0x3f800000, 0xbf800000, 0x3f7fffff, 0x3f800001, 0x3f000000, 0x40000000, 0x7e800000,
                              0x7e800001, 0x7f000000, 0x00200000, 0x00400000, 0x42fe0000, 0x43000000, 0x42ffffff,
                              0xc2fc0000, 0xc2fc0001, 0xc3150000, 0xc3160000, 0x40c90fdb, 0x40c90fdc, 0x439d1463};
  std::mt19937_64 random(1);
  for (int i = 0; i < 40000; ++i) values.push_back(static_cast<Word>(random()));
  // Exponents from 2^-30 to 2^9, the range in which every function has results that are not trivial.
  for (int i = 0; i < 40000; ++i)
    values.push_back((static_cast<Word>(random()) & 0x807fffff) | static_cast<Word>(97 + i % 40) << 23);
  return values;
}

TEST(Special, FunctionsOfSingles) {
  const std::vector<const char*> texts{SINGLE_INSTRUCTIONS(TEXT)};
  const std::vector<Word> values = arguments();
  const std::vector<Word> results = apply(singles, texts.size(), values);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const bool flush = has(texts[i], "ftz");
    int shown = 0;
    for (std::size_t j = 0; j < values.size() && shown < 5; ++j) {
      const auto operand = of_word(static_cast<Word>(flush ? exact::flushed(values[j], exact::kSingle) : values[j]));
      const Expectation wanted = expectation(texts[i], double{operand});
      const Word result = results[i * values.size() + j];
      if (accepted(result, wanted, flush, operand == 0 || !std::isfinite(operand))) continue;
      ++shown;
      ADD_FAILURE() << texts[i] << " of " << operand << ": " << of_word(result) << ", expected " << wanted.value
                    << " up to " << wanted.error;
    }
  }
}

TEST(Special, Quotients) {
  const std::vector<const char*> texts{QUOTIENTS(TEXT)};
  std::vector<Word> special = arguments();
  special.resize(35);
  const auto columns = operands<2>(special, 40000);
  const std::vector<Word> results = apply(quotients, texts.size(), columns[0], columns[1]);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const bool flush = has(texts[i], "ftz"), by_reciprocal = has(texts[i], "approx");
    int shown = 0;
    for (std::size_t j = 0; j < columns[0].size() && shown < 5; ++j) {
      const auto operand = [&](Word bits) {
        return double{of_word(static_cast<Word>(flush ? exact::flushed(bits, exact::kSingle) : bits))};
      };
      const double a = operand(columns[0][j]), b = operand(columns[1][j]);
      // The PTX ISA specifies no error for div.approx with divisors below 2^-126.
      if (by_reciprocal && b != 0 && std::fabs(b) < 0x1p-126) continue;
      const bool zero = by_reciprocal && std::fabs(b) > 0x1p126;
      const double value = zero ? a * std::copysign(0.0, b) : a / b;
      const Expectation wanted{value, 2 * ulp_of(value)};
      const Word result = results[i * columns[0].size() + j];
      if (accepted(result, wanted, flush, a == 0 || b == 0 || !std::isfinite(a) || !std::isfinite(b) || zero)) continue;
      ++shown;
      ADD_FAILURE() << texts[i] << " of " << a << ", " << b << ": " << of_word(result) << ", expected " << value;
    }
  }
}

__global__ void functions_of_doubles(double* out, int count, const double* a) {
  const int i = Results<double>::index();
  if (i >= count) return;
  Results<double> results(out, count);
  double d;
  asm("rcp.approx.ftz.f64 %0, %1;" : "=d"(d) : "d"(a[i]));
  results.put(d);
  asm("rsqrt.approx.ftz.f64 %0, %1;" : "=d"(d) : "d"(a[i]));
  results.put(d);
  asm("rsqrt.approx.f64 %0, %1;" : "=d"(d) : "d"(a[i]));
  results.put(d);
}

TEST(Special, FunctionsOfDoubles) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<double> values = {0.0,  -0.0, kInfinity, -kInfinity, NAN,       1,          -1,        4,
                                0.25, 3,    1e300,     1e-300,     0x1p-1060, -0x1p-1060, 0x1p-1022, 0x1p1023};
  std::mt19937_64 random(2);
  for (int i = 0; i < 2000; ++i) values.push_back(std::ldexp(1 + static_cast<double>(random()) * 0x1p-64, i - 1000));
  const std::vector<double> results = apply(functions_of_doubles, 3, values);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < values.size(); ++j) {
      const bool flush = i < 2;
      const double x = flush && std::fabs(values[j]) < 0x1p-1022 ? std::copysign(0.0, values[j]) : values[j];
      const double value = i == 0 ? 1 / x : 1 / std::sqrt(x), result = results[i * values.size() + j];
      if (flush) EXPECT_EQ(exact::bits_of(result) & 0xffffffff, 0u) << values[j];
      if (std::isnan(value)) {
        EXPECT_TRUE(std::isnan(result)) << values[j];
      } else if (std::isinf(value) || value == 0 || (flush && std::fabs(value) < 0x1p-1022)) {
        EXPECT_EQ(result, std::isinf(value) ? value : 0.0) << values[j];
        EXPECT_EQ(std::signbit(result), std::signbit(value)) << values[j];
      } else {
        EXPECT_NEAR(result / value, 1, flush ? 0x1p-18 : 0x1p-51) << values[j];
      }
    }
}

}  // namespace conformance::special_test
