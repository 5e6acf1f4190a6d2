// SPDX-License-Identifier: Apache-2.0
//
// Tests f32 arithmetic, bit for bit: every rounding mode, .ftz and .sat, on all combinations of special numbers.
#include "arithmetic_reference.h"
#include "elementwise.cuh"

namespace conformance::float_test {

using Word = std::uint32_t;

// Each list is expanded twice: to the instructions in a kernel, and to a list of their texts.
// clang-format off
#define UNARY_INSTRUCTIONS(X) \
  X("rcp.rn.f32") X("rcp.rz.f32") X("rcp.rm.f32") X("rcp.rp.f32") X("rcp.rn.ftz.f32") X("rcp.rp.ftz.f32") \
  X("sqrt.rn.f32") X("sqrt.rz.f32") X("sqrt.rm.f32") X("sqrt.rp.f32") X("sqrt.rn.ftz.f32") X("abs.f32") \
  X("abs.ftz.f32") X("neg.f32") X("neg.ftz.f32")

#define BINARY_INSTRUCTIONS(X) \
  X("add.f32") X("add.rn.f32") X("add.rz.f32") X("add.rm.f32") X("add.rp.f32") X("add.rn.ftz.f32") \
  X("add.rm.ftz.f32") X("add.rn.sat.f32") X("add.rz.ftz.sat.f32") X("sub.f32") X("sub.rn.f32") X("sub.rz.f32") \
  X("sub.rm.f32") X("sub.rp.f32") X("sub.rn.ftz.sat.f32") X("mul.f32") X("mul.rn.f32") X("mul.rz.f32") \
  X("mul.rm.f32") X("mul.rp.f32") X("mul.rn.ftz.f32") X("mul.rp.ftz.f32") X("mul.rn.sat.f32") \
  X("mul.rm.ftz.sat.f32") X("div.rn.f32") X("div.rz.f32") X("div.rm.f32") X("div.rp.f32") X("div.rn.ftz.f32") \
  X("div.rz.ftz.f32") X("min.f32") X("min.ftz.f32") X("max.f32") X("max.ftz.f32") X("copysign.f32")

#define TERNARY_INSTRUCTIONS(X) \
  X("fma.rn.f32") X("fma.rz.f32") X("fma.rm.f32") X("fma.rp.f32") X("fma.rn.ftz.f32") X("fma.rz.ftz.f32") \
  X("fma.rn.sat.f32") X("fma.rn.ftz.sat.f32") X("fma.rp.sat.f32") X("mad.rn.f32") X("mad.rz.ftz.f32")
// clang-format on

// These instructions need sm_80; this test compiles them from sm_90 on.
#define NAN_INSTRUCTIONS(X) X("min.NaN.f32") X("min.ftz.NaN.f32") X("max.NaN.f32") X("max.ftz.NaN.f32")
// clang-format off
#define SIGN_INSTRUCTIONS(X) \
  X("min.xorsign.abs.f32") X("max.xorsign.abs.f32") X("max.NaN.xorsign.abs.f32") X("min.ftz.NaN.xorsign.abs.f32")
// clang-format on

// asm accepts only a string literal, so the instruction's text is a macro argument.
#define TEXT(text) text,
#define UNARY(text)                        \
  asm(text " %0, %1;" : "=f"(d) : "f"(x)); \
  results.put(__float_as_uint(d));
#define BINARY(text)                                   \
  asm(text " %0, %1, %2;" : "=f"(d) : "f"(x), "f"(y)); \
  results.put(__float_as_uint(d));
#define TERNARY(text)                                              \
  asm(text " %0, %1, %2, %3;" : "=f"(d) : "f"(x), "f"(y), "f"(z)); \
  results.put(__float_as_uint(d));

__global__ void ordinary(Word* out, int count, const Word* a, const Word* b, const Word* c) {
  const int i = Results<Word>::index();
  if (i >= count) return;
  Results<Word> results(out, count);
  const float x = __uint_as_float(a[i]), y = __uint_as_float(b[i]), z = __uint_as_float(c[i]);
  float d;
  UNARY_INSTRUCTIONS(UNARY)
  BINARY_INSTRUCTIONS(BINARY)
  TERNARY_INSTRUCTIONS(TERNARY)
}

__global__ void with_nan(Word* out, int count, const Word* a, const Word* b, const Word*) {
#if __CUDA_ARCH__ >= 800
  const int i = Results<Word>::index();
  if (i >= count) return;
  Results<Word> results(out, count);
  const float x = __uint_as_float(a[i]), y = __uint_as_float(b[i]);
  float d;
  NAN_INSTRUCTIONS(BINARY)
#endif
}

__global__ void with_signs(Word* out, int count, const Word* a, const Word* b, const Word*) {
#if __CUDA_ARCH__ >= 900
  const int i = Results<Word>::index();
  if (i >= count) return;
  Results<Word> results(out, count);
  const float x = __uint_as_float(a[i]), y = __uint_as_float(b[i]);
  float d;
  SIGN_INSTRUCTIONS(BINARY)
#endif
}

const std::vector<Word> kSpecial = {0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x3f800001, 0x3f7fffff, 0x7f800000,
                                    0xff800000, 0x7fc00000, 0xffa00001, 0x00000001, 0x80000001, 0x007fffff, 0x00800000,
                                    0x80800000, 0x00800001, 0x7f7fffff, 0xff7fffff, 0x7e800000, 0x40490fdb, 0x33800000,
                                    0xb3800001, 0x4b800001, 0x3f000000, 0x1f800000, 0x20000000};

void run(void (*kernel)(Word*, int, const Word*, const Word*, const Word*), const std::vector<const char*>& texts) {
  auto columns = operands<3>(kSpecial, 20000);
  // These operands give sums that cancel and products at the edge of the subnormal range.
  std::mt19937_64 random(7);
  for (int i = 0; i < 20000; ++i) {
    const auto bits = static_cast<Word>(random()), exponent = static_cast<Word>(random() % 24) << 23;
    columns[0].push_back((bits & 0x807fffff) | 0x20000000);
    columns[1].push_back((static_cast<Word>(random()) & 0x807fffff) | (0x1f800000 - exponent));
    columns[2].push_back((static_cast<Word>(random()) & 0x807fffff) | ((i & 1) != 0 ? 0x00800000 : exponent));
  }
  const std::vector<Word> results = apply(kernel, texts.size(), columns[0], columns[1], columns[2]);
  for (std::size_t i = 0; i < texts.size(); ++i)
    expect_all(texts[i], exact::kSingle, &results[i * columns[0].size()], columns);
}

TEST(Float, Arithmetic) {
  run(ordinary, {UNARY_INSTRUCTIONS(TEXT) BINARY_INSTRUCTIONS(TEXT) TERNARY_INSTRUCTIONS(TEXT)});
}

TEST(Float, ExtremesThatKeepNan) {
  if (code_architecture() < 80) GTEST_SKIP() << ".NaN needs sm_80";
  run(with_nan, {NAN_INSTRUCTIONS(TEXT)});
}

TEST(Float, ExtremesWithSigns) {
  if (code_architecture() < 90) GTEST_SKIP() << "needs sm_86, and is compiled for sm_90";
  run(with_signs, {SIGN_INSTRUCTIONS(TEXT)});
}

}  // namespace conformance::float_test
