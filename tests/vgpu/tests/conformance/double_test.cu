// SPDX-License-Identifier: Apache-2.0
//
// Tests f64 arithmetic, bit for bit, in every rounding mode.
#include "arithmetic_reference.h"
#include "elementwise.cuh"

namespace conformance::double_test {

// clang-format off
#define UNARY_INSTRUCTIONS(X) \
  X("rcp.rn.f64") X("rcp.rz.f64") X("rcp.rm.f64") X("rcp.rp.f64") X("sqrt.rn.f64") X("sqrt.rz.f64") \
  X("sqrt.rm.f64") X("sqrt.rp.f64") X("abs.f64") X("neg.f64")

#define BINARY_INSTRUCTIONS(X) \
  X("add.f64") X("add.rn.f64") X("add.rz.f64") X("add.rm.f64") X("add.rp.f64") X("sub.f64") X("sub.rn.f64") \
  X("sub.rz.f64") X("sub.rm.f64") X("sub.rp.f64") X("mul.f64") X("mul.rn.f64") X("mul.rz.f64") X("mul.rm.f64") \
  X("mul.rp.f64") X("div.rn.f64") X("div.rz.f64") X("div.rm.f64") X("div.rp.f64") X("min.f64") X("max.f64") \
  X("copysign.f64")

#define TERNARY_INSTRUCTIONS(X) \
  X("fma.rn.f64") X("fma.rz.f64") X("fma.rm.f64") X("fma.rp.f64") X("mad.rn.f64") X("mad.rp.f64")
// clang-format on

// asm accepts only a string literal, so the instruction's text is a macro argument.
#define TEXT(text) text,
#define UNARY(text)                        \
  asm(text " %0, %1;" : "=d"(d) : "d"(x)); \
  put(d);
#define BINARY(text)                                   \
  asm(text " %0, %1, %2;" : "=d"(d) : "d"(x), "d"(y)); \
  put(d);
#define TERNARY(text)                                              \
  asm(text " %0, %1, %2, %3;" : "=d"(d) : "d"(x), "d"(y), "d"(z)); \
  put(d);

__global__ void arithmetic(Bits* out, int count, const Bits* a, const Bits* b, const Bits* c) {
  const int i = Results<Bits>::index();
  if (i >= count) return;
  Results<Bits> results(out, count);
  const auto put = [&](double value) { results.put(static_cast<Bits>(__double_as_longlong(value))); };
  const auto number = [](Bits bits) { return __longlong_as_double(static_cast<long long>(bits)); };
  const double x = number(a[i]), y = number(b[i]), z = number(c[i]);
  double d;
  UNARY_INSTRUCTIONS(UNARY)
  BINARY_INSTRUCTIONS(BINARY)
  TERNARY_INSTRUCTIONS(TERNARY)
}

TEST(Double, Arithmetic) {
  const std::vector<Bits> special = {0x0000000000000000, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000,
                                     0x3ff0000000000001, 0x3fefffffffffffff, 0x7ff0000000000000, 0xfff0000000000000,
                                     0x7ff8000000000000, 0xfff4000000000001, 0x0000000000000001, 0x8000000000000001,
                                     0x000fffffffffffff, 0x0010000000000000, 0x8010000000000001, 0x7fefffffffffffff,
                                     0xffefffffffffffff, 0x7fd0000000000000, 0x3ca0000000000000, 0xbca0000000000001,
                                     0x4340000000000001, 0x1ff0000000000000, 0x2000000000000000};
  auto columns = operands<3>(special, 10000);
  // These operands give sums that cancel and products at the edge of the subnormal range.
  std::mt19937_64 random(5);
  constexpr Bits kFraction = 0x800fffffffffffff;
  for (Bits i = 0; i < 10000; ++i) {
    const Bits exponent = (random() % 56) << 52;
    columns[0].push_back((random() & kFraction) | 0x2000000000000000);
    columns[1].push_back((random() & kFraction) | (0x1ff0000000000000 - exponent));
    columns[2].push_back((random() & kFraction) | ((i & 1) != 0 ? 0x0010000000000000 : exponent));
  }
  const std::vector<const char*> texts = {UNARY_INSTRUCTIONS(TEXT) BINARY_INSTRUCTIONS(TEXT)
                                              TERNARY_INSTRUCTIONS(TEXT)};
  const std::vector<Bits> results = apply(arithmetic, texts.size(), columns[0], columns[1], columns[2]);
  for (std::size_t i = 0; i < texts.size(); ++i)
    expect_all(texts[i], exact::kDouble, &results[i * columns[0].size()], columns);
}

}  // namespace conformance::double_test
