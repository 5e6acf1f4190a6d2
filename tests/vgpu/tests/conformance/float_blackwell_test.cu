// SPDX-License-Identifier: Apache-2.0
//
// Tests the floating-point arithmetic that sm_100 adds, bit for bit: pairs of f32, operands of mixed types, and minimum
// and maximum of three operands.
#include "arithmetic_reference.h"
#include "elementwise.cuh"

namespace conformance::float_blackwell_test {

using Word = std::uint32_t;

// clang-format off
#define PAIRS_OF_TWO(X) \
  X("add.rn.f32x2") X("add.rz.ftz.f32x2") X("sub.rm.f32x2") X("mul.rn.f32x2") X("mul.rp.f32x2") \
  X("mul.rn.ftz.f32x2")
// clang-format on
#define PAIRS_OF_THREE(X) X("fma.rn.f32x2") X("fma.rz.f32x2") X("fma.rn.ftz.f32x2")
// clang-format off
#define MIXED_OF_TWO(X) \
  X("add.f32.f16") X("add.rz.f32.f16") X("add.rn.sat.f32.f16") X("sub.rm.f32.f16") X("add.rn.f32.bf16") \
  X("sub.sat.f32.bf16")
// clang-format on
#define MIXED_OF_THREE(X) X("fma.rn.f32.f16") X("fma.rp.sat.f32.f16") X("fma.rz.f32.bf16") X("fma.rn.sat.f32.bf16")
// clang-format off
#define EXTREMES_OF_THREE(X) \
  X("min.f32") X("min.ftz.f32") X("min.NaN.f32") X("min.abs.f32") X("max.f32") X("max.NaN.abs.f32") \
  X("max.ftz.abs."    "f32")
// clang-format on

// asm accepts only a string literal, so the instruction's text is a macro argument.
#define TEXT(text) text,
#define PAIR_OF_TWO(text)                              \
  asm(text " %0, %1, %2;" : "=l"(d) : "l"(x), "l"(y)); \
  results.put(d);
#define PAIR_OF_THREE(text)                                        \
  asm(text " %0, %1, %2, %3;" : "=l"(d) : "l"(x), "l"(y), "l"(z)); \
  results.put(d);
#define SINGLE_OF_TWO(text)                            \
  asm(text " %0, %1, %2;" : "=f"(d) : "h"(h), "f"(z)); \
  results.put(__float_as_uint(d));
#define SINGLE_OF_THREE(text)                                      \
  asm(text " %0, %1, %2, %3;" : "=f"(d) : "h"(h), "h"(g), "f"(z)); \
  results.put(__float_as_uint(d));
#define EXTREME(text)                                              \
  asm(text " %0, %1, %2, %3;" : "=f"(d) : "f"(x), "f"(y), "f"(z)); \
  results.put(__float_as_uint(d));

__global__ void pairs(Bits* out, int count, const Bits* a, const Bits* b, const Bits* c) {
#if __CUDA_ARCH__ >= 1000
  const int i = Results<Bits>::index();
  if (i >= count) return;
  Results<Bits> results(out, count);
  const Bits x = a[i], y = b[i], z = c[i];
  Bits d;
  PAIRS_OF_TWO(PAIR_OF_TWO)
  PAIRS_OF_THREE(PAIR_OF_THREE)
#endif
}

__global__ void singles(Word* out, int count, const Word* a, const Word* b, const Word* c) {
#if __CUDA_ARCH__ >= 1000
  const int i = Results<Word>::index();
  if (i >= count) return;
  Results<Word> results(out, count);
  const auto h = static_cast<std::uint16_t>(a[i]), g = static_cast<std::uint16_t>(b[i]);
  const float x = __uint_as_float(a[i]), y = __uint_as_float(b[i]), z = __uint_as_float(c[i]);
  float d;
  MIXED_OF_TWO(SINGLE_OF_TWO)
  MIXED_OF_THREE(SINGLE_OF_THREE)
  EXTREMES_OF_THREE(EXTREME)
#endif
}

std::array<std::vector<Word>, 3> columns_of_singles() {
  return operands<3, Word>(
      {0x00000000, 0x80000000, 0x3f800000, 0xbf803c00, 0x3f80bc01, 0x7f800000, 0xff807c00, 0x7fc07e00, 0x00000001,
       0x800003ff, 0x007fffff, 0x00800400, 0x7f7f7bff, 0x33800001, 0x20001fff},
      20000);
}

TEST(FloatBlackwell, Pairs) {
  if (code_architecture() < 100) GTEST_SKIP() << "needs sm_100";
  const std::vector<const char*> texts{PAIRS_OF_TWO(TEXT) PAIRS_OF_THREE(TEXT)};
  const auto lower = columns_of_singles();
  std::array<std::vector<Word>, 3> upper = lower;
  std::array<std::vector<Bits>, 3> both;
  for (std::size_t column = 0; column < 3; ++column) {
    std::rotate(upper[column].begin(), upper[column].begin() + 1, upper[column].end());
    for (std::size_t j = 0; j < lower[column].size(); ++j)
      both[column].push_back(Bits{upper[column][j]} << 32 | lower[column][j]);
  }
  const std::vector<Bits> results = apply(pairs, texts.size(), both[0], both[1], both[2]);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::vector<Word> below, above;
    for (std::size_t j = 0; j < both[0].size(); ++j) {
      below.push_back(static_cast<Word>(results[i * both[0].size() + j]));
      above.push_back(static_cast<Word>(results[i * both[0].size() + j] >> 32));
    }
    expect_all(texts[i], exact::kSingle, below.data(), lower);
    expect_all(texts[i], exact::kSingle, above.data(), upper);
  }
}

// A mixed-type instruction equals the instruction of one type applied to the widened 16-bit operands.
Bits expected_of_mixed(std::string_view text, Word a, Word b, Word c) {
  const Format& half = has(text, "f16") ? exact::kHalf : exact::kBrain;
  const auto widened = [&](Word bits) { return to_bits(of_bits(bits & 0xffff, half), exact::kSingle); };
  return text.substr(0, 3) == "fma" ? expected(text, {widened(a), widened(b), c}, exact::kSingle)
                                    : expected(text, {widened(a), c, 0}, exact::kSingle);
}

TEST(FloatBlackwell, MixedAndThree) {
  if (code_architecture() < 100) GTEST_SKIP() << "needs sm_100";
  const std::vector<const char*> mixed{MIXED_OF_TWO(TEXT) MIXED_OF_THREE(TEXT)}, extremes{EXTREMES_OF_THREE(TEXT)};
  const auto [a, b, c] = columns_of_singles();
  const std::vector<Word> results = apply(singles, mixed.size() + extremes.size(), a, b, c);
  for (std::size_t i = 0; i < mixed.size(); ++i)
    for (std::size_t j = 0; j < a.size(); ++j)
      ASSERT_EQ(results[i * a.size() + j], expected_of_mixed(mixed[i], a[j], b[j], c[j]))
          << mixed[i] << std::hex << " of " << a[j] << ", " << b[j] << ", " << c[j];
  for (std::size_t i = 0; i < extremes.size(); ++i)
    for (std::size_t j = 0; j < a.size(); ++j) {
      const Bits of_two = expected(extremes[i], {a[j], b[j], 0}, exact::kSingle);
      ASSERT_EQ(results[(mixed.size() + i) * a.size() + j], expected(extremes[i], {of_two, c[j], 0}, exact::kSingle))
          << extremes[i] << std::hex << " of " << a[j] << ", " << b[j] << ", " << c[j];
    }
}

}  // namespace conformance::float_blackwell_test
