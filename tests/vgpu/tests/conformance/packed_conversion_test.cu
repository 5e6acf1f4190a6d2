// SPDX-License-Identifier: Apache-2.0
//
// Tests cvt of packed pairs, to tf32, and to and from 8-bit formats, and cvt.pack, bit for bit.
#include <random>

#include "arithmetic_reference.h"
#include "elementwise.cuh"

namespace conformance::packed_conversion_test {

using Word = std::uint32_t;

constexpr Format kE5m2{8, 3, -14, 15};
// e4m3 uses the codes that IEEE formats reserve for infinity as finite numbers. Apart from those, it is this format
// without the highest bit of the exponent.
constexpr Format kE4m3{9, 4, -6, 23};
constexpr double kLargestE4m3 = 448;

// clang-format off
#define PAIRS_80(X) \
  X("cvt.rn.f16x2.f32") X("cvt.rz.f16x2.f32") X("cvt.rn.relu.f16x2.f32") X("cvt.rz.satfinite.f16x2.f32") \
  X("cvt.rn.relu.satfinite.f16x2.f32") X("cvt.rn.bf16x2.f32") X("cvt.rz.bf16x2.f32") X("cvt.rz.relu.bf16x2.f32") \
  X("cvt.rn.satfinite.bf16x2.f32") X("cvt.rn.relu.satfinite.bf16x2.f32")
// clang-format on
#define TENSOR_80(X) X("cvt.rna.tf32.f32") X("cvt.rna.satfinite.tf32.f32")
#define TENSOR_90(X) X("cvt.rn.tf32.f32") X("cvt.rz.tf32.f32") X("cvt.rn.relu.tf32.f32") X("cvt.rz.relu.tf32.f32")
// clang-format off
#define EIGHTHS_OF_SINGLES_90(X) \
  X("cvt.rn.satfinite.e4m3x2.f32") X("cvt.rn.satfinite.relu.e4m3x2.f32") X("cvt.rn.satfinite.e5m2x2.f32") \
  X("cvt.rn.satfinite.relu.e5m2x2.f32")
#define EIGHTHS_OF_HALVES_90(X) \
  X("cvt.rn.satfinite.e4m3x2.f16x2") X("cvt.rn.satfinite.relu.e4m3x2.f16x2") X("cvt.rn.satfinite.e5m2x2.f16x2") \
  X("cvt.rn.satfinite.relu.e5m2x2.f16x2")
#define HALVES_OF_EIGHTHS_90(X) \
  X("cvt.rn.f16x2.e4m3x2") X("cvt.rn.relu.f16x2.e4m3x2") X("cvt.rn.f16x2.e5m2x2") X("cvt.rn.relu.f16x2.e5m2x2")
// clang-format on

// asm accepts only a string literal, so the instruction's text is a macro argument.
#define TEXT(text) text,
#define OF_TWO(text)                                   \
  asm(text " %0, %1, %2;" : "=r"(d) : "f"(x), "f"(y)); \
  results.put(d);
#define OF_ONE(text)                       \
  asm(text " %0, %1;" : "=r"(d) : "f"(x)); \
  results.put(d);
#define INTO_SHORT(text)                               \
  asm(text " %0, %1, %2;" : "=h"(s) : "f"(x), "f"(y)); \
  results.put(s);
#define SHORT_OF_WORD(text)                   \
  asm(text " %0, %1;" : "=h"(s) : "r"(a[i])); \
  results.put(s);
#define WORD_OF_SHORT(text)                   \
  asm(text " %0, %1;" : "=r"(d) : "h"(half)); \
  results.put(d);

__global__ void conversions(Word* out, int count, const Word* a, const Word* b) {
#if __CUDA_ARCH__ >= 800
  const int i = Results<Word>::index();
  if (i >= count) return;
  Results<Word> results(out, count);
  const float x = __uint_as_float(a[i]), y = __uint_as_float(b[i]);
  Word d;
  PAIRS_80(OF_TWO)
  TENSOR_80(OF_ONE)
#endif
#if __CUDA_ARCH__ >= 900
  const auto half = static_cast<std::uint16_t>(a[i]);
  std::uint16_t s;
  TENSOR_90(OF_ONE)
  EIGHTHS_OF_SINGLES_90(INTO_SHORT)
  EIGHTHS_OF_HALVES_90(SHORT_OF_WORD)
  HALVES_OF_EIGHTHS_90(WORD_OF_SHORT)
#endif
}

// Converts one number of the pair, given by its bits in the format `from`.
Bits narrowed(std::string_view text, Bits bits, const Format& from, const Format& to) {
  Number number = of_bits(bits, from);
  const bool e4m3 = &to == &kE4m3;
  if (number.is_nan()) return (Bits{1} << ((e4m3 ? 8 : to.bits) - 1)) - 1;
  Bits result = to_bits(number, to, mode_of(text));
  const Bits sign = result & sign_bit(to);
  const Bits most = e4m3 ? to_bits(exact::of(kLargestE4m3), to) : to_bits(exact::infinity(false), to) - 1;
  if (has(text, "satfinite")) result = sign | std::min(result ^ sign, most);
  if (has(text, "relu") && sign != 0) return 0;
  return e4m3 ? (result & 0x7f) | sign >> 1 : result;
}

Bits widened(Bits bits, bool e4m3) {
  if (!e4m3) return to_bits(of_bits(bits, kE5m2), exact::kHalf);
  if ((bits & 0x7f) == 0x7f) return 0x7fff;
  return to_bits(of_bits((bits & 0x80) << 1 | (bits & 0x7f), kE4m3), exact::kHalf);
}

Bits expected_of(std::string_view text, Word a, Word b) {
  const auto of_two = [&](const Format& to, int bits) {
    return narrowed(text, a, exact::kSingle, to) << bits | narrowed(text, b, exact::kSingle, to);
  };
  if (has(text, "tf32")) {
    const Bits bits = narrowed(text, a, exact::kSingle, exact::kTensor32);
    return bits == 0x3ffff ? 0x7fffffff : bits << 13;
  }
  const bool e4m3 = has(text, "e4m3x2");
  if (e4m3 || has(text, "e5m2x2")) {
    const Format& eighth = e4m3 ? kE4m3 : kE5m2;
    if (has(text, "f32")) return of_two(eighth, 8);
    if (has(text, "satfinite"))
      return narrowed(text, a >> 16, exact::kHalf, eighth) << 8 | narrowed(text, a & 0xffff, exact::kHalf, eighth);
    const auto half = [&](Bits bits) {
      const Bits result = widened(bits, e4m3);
      return has(text, "relu") && (result & 0x8000) != 0 ? 0 : result;
    };
    return half(a >> 8 & 0xff) << 16 | half(a & 0xff);
  }
  return of_two(has(text, "f16x2") ? exact::kHalf : exact::kBrain, 16);
}

TEST(PackedConversion, OfFloats) {
  if (code_architecture() < 80) GTEST_SKIP() << "needs sm_80";
  std::vector<const char*> texts{PAIRS_80(TEXT) TENSOR_80(TEXT)};
  if (code_architecture() >= 90)
    texts.insert(texts.end(),
                 {TENSOR_90(TEXT) EIGHTHS_OF_SINGLES_90(TEXT) EIGHTHS_OF_HALVES_90(TEXT) HALVES_OF_EIGHTHS_90(TEXT)});
  auto columns =
      operands<2, Word>({0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001,
                         0x7f7fffff, 0xff7fffff, 0x00000001, 0x80000001, 0x3f801000, 0x3f803000, 0x3f808000, 0x3f818000,
                         0x477fe000, 0x477fefff, 0x477ff000, 0xc77ff000, 0x43e00000, 0x43e80000, 0x43f00000, 0x47600000,
                         0x47700000, 0x33000000, 0x33000001, 0x3a800000, 0x3b000000, 0x7f7f8000, 0x7f7f7fff, 0x7ffff000,
                         0x00007fff, 0x7c00fc00, 0x7e00fe01, 0x5f005f01, 0x5f805f7f, 0x7b007b01, 0x3c083c04},
                        60000);
  // These operands lie in the range of the 8-bit formats.
  std::mt19937_64 random(4);
  for (Word i = 0; i < 20000; ++i)
    for (std::vector<Word>& column : columns)
      column.push_back((static_cast<Word>(random()) & 0x807fffff) | (109 + i % 36) << 23);
  const std::vector<Word> results = apply(conversions, texts.size(), columns[0], columns[1]);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    int shown = 0;
    for (std::size_t j = 0; j < columns[0].size() && shown < 5; ++j) {
      const Word result = results[i * columns[0].size() + j];
      const Bits wanted = expected_of(texts[i], columns[0][j], columns[1][j]);
      if (result == wanted) continue;
      ++shown;
      ADD_FAILURE() << texts[i] << std::hex << " of " << columns[0][j] << ", " << columns[1][j] << ": " << result
                    << ", expected " << wanted;
    }
  }
}

// ---- cvt.pack -------------------------------------------------------------------------------------------------------

__global__ void packs(Word* out, int count, const Word* a, const Word* b, const Word* c) {
  const int i = Results<Word>::index();
  if (i >= count) return;
  Results<Word> results(out, count);
  Word d;
  asm("cvt.pack.sat.u16.s32 %0, %1, %2;" : "=r"(d) : "r"(a[i]), "r"(b[i]));
  results.put(d);
  asm("cvt.pack.sat.s16.s32 %0, %1, %2;" : "=r"(d) : "r"(a[i]), "r"(b[i]));
  results.put(d);
  asm("cvt.pack.sat.u8.s32.b32 %0, %1, %2, %3;" : "=r"(d) : "r"(a[i]), "r"(b[i]), "r"(c[i]));
  results.put(d);
  asm("cvt.pack.sat.s8.s32.b32 %0, %1, %2, %3;" : "=r"(d) : "r"(a[i]), "r"(b[i]), "r"(c[i]));
  results.put(d);
  asm("cvt.pack.sat.u4.s32.b32 %0, %1, %2, %3;" : "=r"(d) : "r"(a[i]), "r"(b[i]), "r"(c[i]));
  results.put(d);
  asm("cvt.pack.sat.s4.s32.b32 %0, %1, %2, %3;" : "=r"(d) : "r"(a[i]), "r"(b[i]), "r"(c[i]));
  results.put(d);
  asm("cvt.pack.sat.u2.s32.b32 %0, %1, %2, %3;" : "=r"(d) : "r"(a[i]), "r"(b[i]), "r"(c[i]));
  results.put(d);
  asm("cvt.pack.sat.s2.s32.b32 %0, %1, %2, %3;" : "=r"(d) : "r"(a[i]), "r"(b[i]), "r"(c[i]));
  results.put(d);
}

TEST(PackedConversion, OfIntegers) {
  std::vector<Word> special = {0, 1, 2, 3, 4, 7, 8, 15, 16, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 0x7fffffff};
  for (std::size_t i = 0, count = special.size(); i < count; ++i) special.push_back(~special[i]);
  auto columns = operands<3>(special, 5000);
  const std::vector<Word> results = apply(packs, 8, columns[0], columns[1], columns[2]);
  const int widths[] = {16, 16, 8, 8, 4, 4, 2, 2};
  for (std::size_t i = 0; i < 8; ++i)
    for (std::size_t j = 0; j < columns[0].size(); ++j) {
      const int width = widths[i];
      const std::int64_t span = std::int64_t{1} << width, least = i % 2 == 0 ? 0 : -span / 2;
      const auto clamped = [&](Word word) {
        const std::int64_t value = std::max<std::int64_t>(static_cast<std::int32_t>(word), least);
        return static_cast<Bits>(std::min(value, least + span - 1)) & static_cast<Bits>(span - 1);
      };
      const Bits above = width == 16 ? 0 : Bits{columns[2][j]} << 2 * width;
      const auto wanted = static_cast<Word>(above | clamped(columns[0][j]) << width | clamped(columns[1][j]));
      ASSERT_EQ(results[i * columns[0].size() + j], wanted)
          << (i % 2 == 0 ? "u" : "s") << width << " of " << columns[0][j] << ", " << columns[1][j];
    }
}

}  // namespace conformance::packed_conversion_test
