// SPDX-License-Identifier: Apache-2.0
//
// Tests testp, which classifies floating-point numbers.
#include <cmath>
#include <limits>

#include "elementwise.cuh"

namespace conformance::float_kind_test {

constexpr std::size_t kQuestions = 6;
const char* const kNames[kQuestions] = {"finite", "infinite", "number", "notanumber", "normal", "subnormal"};

#define QUESTIONS(X) X("finite") X("infinite") X("number") X("notanumber") X("normal") X("subnormal")
// asm accepts only a string literal, so the kind is a macro argument.
#define ASK_SINGLE(kind)                                                                             \
  asm("{.reg .pred p; testp." kind ".f32 p, %1; selp.u32 %0, 1, 0, p;}" : "=r"(answer) : "f"(a[i])); \
  results.put(answer);
#define ASK_DOUBLE(kind)                                                                             \
  asm("{.reg .pred p; testp." kind ".f64 p, %1; selp.u32 %0, 1, 0, p;}" : "=r"(answer) : "d"(a[i])); \
  results.put(answer);

__global__ void of_singles(unsigned* out, int count, const float* a) {
  const int i = Results<unsigned>::index();
  if (i >= count) return;
  Results<unsigned> results(out, count);
  unsigned answer;
  QUESTIONS(ASK_SINGLE)
}

__global__ void of_doubles(unsigned* out, int count, const double* a) {
  const int i = Results<unsigned>::index();
  if (i >= count) return;
  Results<unsigned> results(out, count);
  unsigned answer;
  QUESTIONS(ASK_DOUBLE)
}

template <class T>
void check(void (*kernel)(unsigned*, int, const T*)) {
  using Limits = std::numeric_limits<T>;
  std::vector<T> values = {T{0},
                           T{1},
                           Limits::max(),
                           Limits::min(),
                           Limits::denorm_min(),
                           Limits::min() / 2,
                           Limits::infinity(),
                           Limits::quiet_NaN(),
                           Limits::signaling_NaN()};
  for (std::size_t i = 0, count = values.size(); i < count; ++i) values.push_back(-values[i]);
  const std::vector<unsigned> results = apply(kernel, kQuestions, values);
  for (std::size_t j = 0; j < values.size(); ++j) {
    const int kind = std::fpclassify(values[j]);
    // testp.normal counts zeros as normal.
    const bool normal = kind == FP_NORMAL || kind == FP_ZERO, subnormal = kind == FP_SUBNORMAL;
    const bool wanted[kQuestions] = {
        normal || subnormal, kind == FP_INFINITE, kind != FP_NAN, kind == FP_NAN, normal, subnormal};
    for (std::size_t i = 0; i < kQuestions; ++i)
      EXPECT_EQ(results[i * values.size() + j], wanted[i] ? 1u : 0u) << kNames[i] << " " << values[j];
  }
}

TEST(FloatKind, OfSingles) { check(of_singles); }
TEST(FloatKind, OfDoubles) { check(of_doubles); }

}  // namespace conformance::float_kind_test
