// SPDX-License-Identifier: Apache-2.0
//
// Tests setp and set on f16 and bf16, and on pairs of them in one register.
#include "comparison_cases.cuh"

namespace conformance::half_comparison_test {

using U16 = std::uint16_t;
using U32 = std::uint32_t;

// Bit 0 of the first result is setp, bit 1 is setp with .or c. The other results are those of set with an integer
// destination type and with the operand type as destination.
#define COMPARE_ONE(comparison, flush, type)                                                            \
  asm volatile(                                                                                         \
      "{.reg .pred p, c; .reg .b32 bit; .reg .b16 half;\n"                                              \
      "setp.ne.u32 c, %6, 0;\n"                                                                         \
      "setp." comparison flush "." type                                                                 \
      " p, %4, %5; selp.u32 %0, 1, 0, p;\n"                                                             \
      "setp." comparison ".or" flush "." type                                                           \
      " p, %4, %5, c; selp.u32 bit, 2, 0, p; or.b32 %0, %0, bit;\n"                                     \
      "set." comparison flush ".u32." type                                                              \
      " %1, %4, %5;\n"                                                                                  \
      "set." comparison flush ".s16." type                                                              \
      " half, %4, %5; mov.b32 %2, {half, half};\n"                                                      \
      "set." comparison ".and" flush "." type "." type " half, %4, %5, c; mov.b32 %3, {half, half};}\n" \
      : "=&r"(bits), "=&r"(word), "=&r"(integer), "=r"(number)                                          \
      : "h"(a[i]), "h"(b[i]), "r"(c[i]));                                                               \
  for (const U32 result : {bits, word, integer, number}) results.put(result);

// Bits 0 and 1 of the first result are setp, bits 2 and 3 are setp with .and !c. The other results are those of set.
#define COMPARE_TWO(comparison, flush, type)                           \
  asm volatile(                                                        \
      "{.reg .pred p, q, c; .reg .b32 bit;\n"                          \
      "setp.ne.u32 c, %6, 0;\n"                                        \
      "setp." comparison flush "." type                                \
      " p|q, %4, %5; selp.u32 %0, 1, 0, p; selp.u32 bit, 2, 0, q;\n"   \
      "or.b32 %0, %0, bit;\n"                                          \
      "setp." comparison ".and" flush "." type                         \
      " p|q, %4, %5, !c; selp.u32 bit, 4, 0, p; or.b32 %0, %0, bit;\n" \
      "selp.u32 bit, 8, 0, q; or.b32 %0, %0, bit;\n"                   \
      "set." comparison flush ".u32." type                             \
      " %1, %4, %5;\n"                                                 \
      "set." comparison ".xor" flush ".s32." type                      \
      " %2, %4, %5, c;\n"                                              \
      "set." comparison flush "." type "." type " %3, %4, %5;}\n"      \
      : "=&r"(bits), "=&r"(word), "=&r"(integer), "=r"(number)         \
      : "r"(a[i]), "r"(b[i]), "r"(c[i]));                              \
  for (const U32 result : {bits, word, integer, number}) results.put(result);

// clang-format off
#define BODY(COMPARE, flush, type) \
  const int i = Results<U32>::index(); \
  if (i >= count) return; \
  Results<U32> results(out, count); \
  U32 bits, word, integer, number; \
  FLOAT_ORDERS(COMPARE, flush, type)
// clang-format on

__global__ void compare_f16(U32* out, int count, const U16* a, const U16* b,
                            const U32* c){BODY(COMPARE_ONE, "", "f16")} __global__
    void compare_f16_ftz(U32* out, int count, const U16* a, const U16* b,
                         const U32* c){BODY(COMPARE_ONE, ".ftz", "f16")} __global__
    void compare_f16x2(U32* out, int count, const U32* a, const U32* b,
                       const U32* c){BODY(COMPARE_TWO, "", "f16x2")} __global__
    void compare_f16x2_ftz(U32* out, int count, const U32* a, const U32* b,
                           const U32* c){BODY(COMPARE_TWO, ".ftz", "f16x2")} __global__
    void compare_bf16(U32* out, int count, const U16* a, const U16* b, const U32* c) {
#if __CUDA_ARCH__ >= 900
  BODY(COMPARE_ONE, "", "bf16")
#endif
}
__global__ void compare_bf16x2(U32* out, int count, const U32* a, const U32* b, const U32* c) {
#if __CUDA_ARCH__ >= 900
  BODY(COMPARE_TWO, "", "bf16x2")
#endif
}

const std::vector<std::string> kComparisons = {FLOAT_ORDERS(NAME_OF)};
const std::vector<U16> kHalves = {0,      0x8000, 1,      0x8001, 0x03ff, 0x0400, 0x8400, 0x3c00, 0xbc00,
                                  0x3c01, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7e00, 0xfc01, 0x4200};
const std::vector<U16> kBrains = {0,      0x8000, 1,      0x8001, 0x007f, 0x0080, 0x8080, 0x3f80, 0xbf80,
                                  0x3f81, 0x7f7f, 0xff7f, 0x7f80, 0xff80, 0x7fc0, 0xff81, 0x4040};

struct Reading {
  double (*value)(std::uint64_t, int, int);
  int fraction_bits;
  U32 one;

  bool holds(const std::string& comparison, U16 a, U16 b) const {
    return conformance::holds(comparison, relation(value(a, 16, fraction_bits), value(b, 16, fraction_bits)));
  }
};
constexpr Reading kHalf{value_of, 10, 0x3c00}, kFlushedHalf{flushed_value_of, 10, 0x3c00}, kBrain{value_of, 7, 0x3f80};

// The third predicate is true for about half of the pairs.
std::vector<U32> alternating(std::size_t count) {
  std::vector<U32> all(count);
  for (std::size_t i = 0; i < count; ++i) all[i] = i * 7 / 5 % 2;
  return all;
}

void check_one(void (*kernel)(U32*, int, const U16*, const U16*, const U32*), const std::vector<U16>& special,
               const Reading& reading) {
  const auto [a, b] = operands<2>(special, 300);
  const std::vector<U32> combined = alternating(a.size());
  const auto results = apply(kernel, 4 * kComparisons.size(), a, b, combined);
  for (std::size_t which = 0; which < kComparisons.size(); ++which)
    for (std::size_t i = 0; i < a.size(); ++i) {
      const bool t = reading.holds(kComparisons[which], a[i], b[i]), c = combined[i] != 0;
      const auto result = [&](std::size_t k) { return results[(4 * which + k) * combined.size() + i]; };
      SCOPED_TRACE(testing::Message() << kComparisons[which] << " of " << std::hex << a[i] << ", " << b[i]);
      ASSERT_EQ(result(0), U32{t} | U32{t || c} << 1);
      ASSERT_EQ(result(1), t ? 0xffffffffu : 0u);
      ASSERT_EQ(result(2), t ? 0xffffffffu : 0u);
      ASSERT_EQ(result(3), t && c ? reading.one * 0x10001u : 0u);
    }
}

void check_two(void (*kernel)(U32*, int, const U32*, const U32*, const U32*), const std::vector<U16>& special,
               const Reading& reading) {
  const auto [a, b, a_high, b_high] = operands<4>(special, 300);
  std::vector<U32> first, second;
  for (std::size_t i = 0; i < a.size(); i += 31) {
    first.push_back(a[i] | U32{a_high[i]} << 16);
    second.push_back(b[i] | U32{b_high[i]} << 16);
  }
  const std::vector<U32> combined = alternating(first.size());
  const auto results = apply(kernel, 4 * kComparisons.size(), first, second, combined);
  for (std::size_t which = 0; which < kComparisons.size(); ++which)
    for (std::size_t i = 0; i < first.size(); ++i) {
      const bool low = reading.holds(kComparisons[which], U16(first[i]), U16(second[i]));
      const bool high = reading.holds(kComparisons[which], U16(first[i] >> 16), U16(second[i] >> 16));
      const bool c = combined[i] != 0;
      const auto halves = [](bool x, bool y, U32 value) { return (x ? value : 0) | (y ? value << 16 : 0); };
      const auto result = [&](std::size_t k) { return results[(4 * which + k) * first.size() + i]; };
      SCOPED_TRACE(testing::Message() << kComparisons[which] << " of " << std::hex << first[i] << ", " << second[i]);
      ASSERT_EQ(result(0), U32{low} | U32{high} << 1 | U32{low && !c} << 2 | U32{high && !c} << 3);
      ASSERT_EQ(result(1), halves(low, high, 0xffff));
      ASSERT_EQ(result(2), halves(low != c, high != c, 0xffff));
      ASSERT_EQ(result(3), halves(low, high, reading.one));
    }
}

TEST(HalfComparison, Half) {
  check_one(compare_f16, kHalves, kHalf);
  check_one(compare_f16_ftz, kHalves, kFlushedHalf);
}

TEST(HalfComparison, TwoHalves) {
  check_two(compare_f16x2, kHalves, kHalf);
  check_two(compare_f16x2_ftz, kHalves, kFlushedHalf);
}

TEST(HalfComparison, Brain) {
  if (architecture() < 90) GTEST_SKIP() << "comparisons of bf16 need sm_90";
  check_one(compare_bf16, kBrains, kBrain);
}

TEST(HalfComparison, TwoBrains) {
  if (architecture() < 90) GTEST_SKIP() << "comparisons of bf16 need sm_90";
  check_two(compare_bf16x2, kBrains, kBrain);
}

}  // namespace conformance::half_comparison_test
