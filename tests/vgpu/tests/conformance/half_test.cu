// SPDX-License-Identifier: Apache-2.0
//
// Tests arithmetic of f16 and bf16, single and packed, bit for bit.
#include "arithmetic_reference.h"
#include "elementwise.cuh"

namespace conformance::half_test {

using Short = std::uint16_t;
using Word = std::uint32_t;

// Instructions are grouped by the number of operands and the architecture they need; X appends the type.
#define HALF_UNARY(X) X("neg") X("neg.ftz") X("abs") X("abs.ftz")
// clang-format off
#define HALF_BINARY(X) \
  X("add") X("add.rn") X("add.ftz") X("add.sat") X("add.ftz.sat") X("sub") X("sub.rn.ftz") X("sub.sat") X("mul") \
  X("mul.rn.ftz") X("mul."    "sat")
// clang-format on
#define HALF_TERNARY(X) X("fma.rn") X("fma.rn.ftz") X("fma.rn.sat") X("fma.rn.ftz.sat")
#define HALF_BINARY_80(X) X("min") X("min.ftz") X("min.NaN") X("max") X("max.ftz") X("max.ftz.NaN")
#define HALF_TERNARY_80(X) X("fma.rn.relu") X("fma.rn.ftz.relu")
#define HALF_BINARY_90(X) X("min.xorsign.abs") X("max.ftz.NaN.xorsign.abs")

#define BRAIN_UNARY_80(X) X("neg") X("abs")
#define BRAIN_BINARY_80(X) X("min") X("min.NaN") X("max") X("max.NaN")
#define BRAIN_TERNARY_80(X) X("fma.rn") X("fma.rn.relu")
// clang-format off
#define BRAIN_BINARY_90(X) \
  X("add") X("add.rn") X("sub") X("sub.rn") X("mul") X("mul.rn") X("min.xorsign.abs") X("max.NaN.xorsign.abs")
// clang-format on

// asm accepts only a string literal, so the instruction's text is a macro argument.
#define TEXT(text) text,
#define UNARY_OF(text, type, letter)                     \
  asm(text type " %0, %1;" : "=" letter(d) : letter(x)); \
  results.put(d);
#define BINARY_OF(text, type, letter)                                   \
  asm(text type " %0, %1, %2;" : "=" letter(d) : letter(x), letter(y)); \
  results.put(d);
#define TERNARY_OF(text, type, letter)                                                 \
  asm(text type " %0, %1, %2, %3;" : "=" letter(d) : letter(x), letter(y), letter(z)); \
  results.put(d);
#define F16_UNARY(text) UNARY_OF(text, ".f16", "h")
#define F16_BINARY(text) BINARY_OF(text, ".f16", "h")
#define F16_TERNARY(text) TERNARY_OF(text, ".f16", "h")
#define F16X2_UNARY(text) UNARY_OF(text, ".f16x2", "r")
#define F16X2_BINARY(text) BINARY_OF(text, ".f16x2", "r")
#define F16X2_TERNARY(text) TERNARY_OF(text, ".f16x2", "r")
#define BF16_UNARY(text) UNARY_OF(text, ".bf16", "h")
#define BF16_BINARY(text) BINARY_OF(text, ".bf16", "h")
#define BF16_TERNARY(text) TERNARY_OF(text, ".bf16", "h")
#define BF16X2_UNARY(text) UNARY_OF(text, ".bf16x2", "r")
#define BF16X2_BINARY(text) BINARY_OF(text, ".bf16x2", "r")
#define BF16X2_TERNARY(text) TERNARY_OF(text, ".bf16x2", "r")

__global__ void halves(Short* out, int count, const Short* a, const Short* b, const Short* c) {
  const int i = Results<Short>::index();
  if (i >= count) return;
  Results<Short> results(out, count);
  const Short x = a[i], y = b[i], z = c[i];
  Short d;
  HALF_UNARY(F16_UNARY)
  HALF_BINARY(F16_BINARY)
  HALF_TERNARY(F16_TERNARY)
#if __CUDA_ARCH__ >= 800
  HALF_BINARY_80(F16_BINARY)
  HALF_TERNARY_80(F16_TERNARY)
#endif
#if __CUDA_ARCH__ >= 900
  HALF_BINARY_90(F16_BINARY)
#endif
}

__global__ void half_pairs(Word* out, int count, const Word* a, const Word* b, const Word* c) {
  const int i = Results<Word>::index();
  if (i >= count) return;
  Results<Word> results(out, count);
  const Word x = a[i], y = b[i], z = c[i];
  Word d;
  HALF_UNARY(F16X2_UNARY)
  HALF_BINARY(F16X2_BINARY)
  HALF_TERNARY(F16X2_TERNARY)
#if __CUDA_ARCH__ >= 800
  HALF_BINARY_80(F16X2_BINARY)
  HALF_TERNARY_80(F16X2_TERNARY)
#endif
#if __CUDA_ARCH__ >= 900
  HALF_BINARY_90(F16X2_BINARY)
#endif
}

__global__ void brains(Short* out, int count, const Short* a, const Short* b, const Short* c) {
#if __CUDA_ARCH__ >= 800
  const int i = Results<Short>::index();
  if (i >= count) return;
  Results<Short> results(out, count);
  const Short x = a[i], y = b[i], z = c[i];
  Short d;
  BRAIN_UNARY_80(BF16_UNARY)
  BRAIN_BINARY_80(BF16_BINARY)
  BRAIN_TERNARY_80(BF16_TERNARY)
#endif
#if __CUDA_ARCH__ >= 900
  BRAIN_BINARY_90(BF16_BINARY)
#endif
}

__global__ void brain_pairs(Word* out, int count, const Word* a, const Word* b, const Word* c) {
#if __CUDA_ARCH__ >= 800
  const int i = Results<Word>::index();
  if (i >= count) return;
  Results<Word> results(out, count);
  const Word x = a[i], y = b[i], z = c[i];
  Word d;
  BRAIN_UNARY_80(BF16X2_UNARY)
  BRAIN_BINARY_80(BF16X2_BINARY)
  BRAIN_TERNARY_80(BF16X2_TERNARY)
#endif
#if __CUDA_ARCH__ >= 900
  BRAIN_BINARY_90(BF16X2_BINARY)
#endif
}

using Columns = std::array<std::vector<Short>, 3>;

// Among the special values, the product of 1.5 and the successor of 1 is exactly halfway between two numbers. Half of
// the random operands give sums that cancel.
Columns operands_of(const Format& format) {
  const auto special = std::vector<Short>{0x0000,
                                          0x8000,
                                          static_cast<Short>(one(format)),
                                          static_cast<Short>(one(format) | 0x8000),
                                          static_cast<Short>(one(format) + 1),
                                          static_cast<Short>(one(format) - 1),
                                          static_cast<Short>(one(format) | 1 << (format.precision - 2)),
                                          0x7fff,
                                          0xfe00,
                                          0x7c00,
                                          0xfc00,
                                          0x7f80,
                                          0xff80,
                                          0x7bff,
                                          0xfbff,
                                          0x7f7f,
                                          0x0001,
                                          0x8001,
                                          0x03ff,
                                          0x0400,
                                          0x007f,
                                          0x0080,
                                          0x8080,
                                          0x0401,
                                          0x7800,
                                          0x1400};
  Columns columns = operands<3>(special, 20000);
  std::mt19937_64 random(3);
  for (int i = 0; i < 20000; ++i) {
    const auto a = static_cast<Short>(random()), b = static_cast<Short>(random());
    const auto close = to_bits(product(of_bits(a, format), of_bits(b, format)), format) ^ 0x8000;
    columns[0].push_back(a);
    columns[1].push_back(b);
    columns[2].push_back(static_cast<Short>(close + (i & 3) - 1));
  }
  return columns;
}

// A packed register holds the operand of the single instruction in its lower half, and the operand of the next element
// in its upper half.
template <class T>
std::vector<T> rotated(std::vector<T> values) {
  std::rotate(values.begin(), values.begin() + 1, values.end());
  return values;
}

void compare(void (*single)(Short*, int, const Short*, const Short*, const Short*),
             void (*pair)(Word*, int, const Word*, const Word*, const Word*), const std::vector<const char*>& texts,
             const std::string& type, const Format& format) {
  const Columns columns = operands_of(format);
  const std::size_t count = columns[0].size();
  const Columns upper{rotated(columns[0]), rotated(columns[1]), rotated(columns[2])};
  std::array<std::vector<Word>, 3> both;
  for (std::size_t column = 0; column < 3; ++column)
    for (std::size_t j = 0; j < count; ++j) both[column].push_back(Word{upper[column][j]} << 16 | columns[column][j]);

  const std::vector<Short> of_singles = apply(single, texts.size(), columns[0], columns[1], columns[2]);
  const std::vector<Word> of_pairs = apply(pair, texts.size(), both[0], both[1], both[2]);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    expect_all(texts[i] + type, format, &of_singles[i * count], columns);
    std::vector<Short> below, above;
    for (std::size_t j = i * count; j < (i + 1) * count; ++j) {
      below.push_back(static_cast<Short>(of_pairs[j]));
      above.push_back(static_cast<Short>(of_pairs[j] >> 16));
    }
    expect_all(texts[i] + type + "x2", format, below.data(), columns);
    expect_all(texts[i] + type + "x2", format, above.data(), upper);
  }
}

TEST(Half, Arithmetic) {
  std::vector<const char*> texts{HALF_UNARY(TEXT) HALF_BINARY(TEXT) HALF_TERNARY(TEXT)};
  if (code_architecture() >= 80) texts.insert(texts.end(), {HALF_BINARY_80(TEXT) HALF_TERNARY_80(TEXT)});
  if (code_architecture() >= 90) texts.insert(texts.end(), {HALF_BINARY_90(TEXT)});
  compare(halves, half_pairs, texts, ".f16", exact::kHalf);
}

TEST(Brain, Arithmetic) {
  if (code_architecture() < 80) GTEST_SKIP() << "bf16 needs sm_80";
  std::vector<const char*> texts{BRAIN_UNARY_80(TEXT) BRAIN_BINARY_80(TEXT) BRAIN_TERNARY_80(TEXT)};
  if (code_architecture() >= 90) texts.insert(texts.end(), {BRAIN_BINARY_90(TEXT)});
  compare(brains, brain_pairs, texts, ".bf16", exact::kBrain);
}

}  // namespace conformance::half_test
