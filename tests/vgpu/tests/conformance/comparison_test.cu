// SPDX-License-Identifier: Apache-2.0
//
// Tests setp and set on integers, f32 and f64: every comparison, both destinations, and the combination with a third
// predicate.
#include <limits>

#include "comparison_cases.cuh"

namespace conformance::comparison_test {

using U32 = std::uint32_t;
using U64 = std::uint64_t;

// The first result packs predicates as bits: both destinations of setp, of setp with .and c and of setp with .or !c,
// and the one destination of setp with .xor c. The second and third results are those of set.
#define COMPARE(comparison, flush, type, letter)                        \
  asm volatile(                                                         \
      "{.reg .pred p, q, c; .reg .b32 bit;\n"                           \
      "setp.ne.u32 c, %5, 0;\n"                                         \
      "setp." comparison flush "." type                                 \
      " p|q, %3, %4; selp.u32 %0, 1, 0, p; selp.u32 bit, 2, 0, q;\n"    \
      "or.b32 %0, %0, bit;\n"                                           \
      "setp." comparison ".and" flush "." type                          \
      " p|q, %3, %4, c; selp.u32 bit, 4, 0, p; or.b32 %0, %0, bit;\n"   \
      "selp.u32 bit, 8, 0, q; or.b32 %0, %0, bit;\n"                    \
      "setp." comparison ".or" flush "." type                           \
      " p|q, %3, %4, !c; selp.u32 bit, 16, 0, p; or.b32 %0, %0, bit;\n" \
      "selp.u32 bit, 32, 0, q; or.b32 %0, %0, bit;\n"                   \
      "setp." comparison ".xor" flush "." type                          \
      " p, %3, %4, c; selp.u32 bit, 64, 0, p; or.b32 %0, %0, bit;\n"    \
      "set." comparison flush ".u32." type                              \
      " %1, %3, %4;\n"                                                  \
      "set." comparison ".xor" flush ".f32." type " %2, %3, %4, c;}\n"  \
      : "=&r"(bits), "=&r"(word), "=r"(number)                          \
      : letter(a[i]), letter(b[i]), "r"(c[i]));                         \
  results.put(bits);                                                    \
  results.put(word);                                                    \
  results.put(number);

// clang-format off
#define COMPARISON_KERNEL(name, T, LIST, flush, type, letter) \
  __global__ void name(U32* out, int count, const T* a, const T* b, const U32* c) { \
  const int i = Results<U32>::index(); \
  if (i >= count) return; \
  Results<U32> results(out, count); \
  U32 bits, word, number; \
  LIST(COMPARE, flush, type, letter) \
  }
// clang-format on

COMPARISON_KERNEL(compare_b16, std::uint16_t, EQUALITIES, "", "b16", "h")
COMPARISON_KERNEL(compare_b32, U32, EQUALITIES, "", "b32", "r")
COMPARISON_KERNEL(compare_b64, U64, EQUALITIES, "", "b64", "l")
COMPARISON_KERNEL(compare_u16, std::uint16_t, UNSIGNED_ORDERS, "", "u16", "h")
COMPARISON_KERNEL(compare_u32, U32, UNSIGNED_ORDERS, "", "u32", "r")
COMPARISON_KERNEL(compare_u64, U64, UNSIGNED_ORDERS, "", "u64", "l")
COMPARISON_KERNEL(compare_s16, std::int16_t, ORDERS, "", "s16", "h")
COMPARISON_KERNEL(compare_s32, std::int32_t, ORDERS, "", "s32", "r")
COMPARISON_KERNEL(compare_s64, std::int64_t, ORDERS, "", "s64", "l")
COMPARISON_KERNEL(compare_f32, U32, FLOAT_ORDERS, "", "f32", "r")
COMPARISON_KERNEL(compare_ftz, U32, FLOAT_ORDERS, ".ftz", "f32", "r")
COMPARISON_KERNEL(compare_f64, U64, FLOAT_ORDERS, "", "f64", "l")

const std::vector<std::string> kEqualities = {EQUALITIES(NAME_OF)};
const std::vector<std::string> kOrders = {ORDERS(NAME_OF)};
const std::vector<std::string> kUnsignedOrders = {UNSIGNED_ORDERS(NAME_OF)};
const std::vector<std::string> kFloatOrders = {FLOAT_ORDERS(NAME_OF)};

// Read converts the bits of a register to a number.
template <class T, class Read>
void check(void (*kernel)(U32*, int, const T*, const T*, const U32*), const std::vector<std::string>& comparisons,
           const std::vector<T>& special, Read read) {
  auto [a, b] = operands<2>(special, 200);
  const std::size_t half = a.size();
  for (auto* column : {&a, &b})
    column->insert(column->end(), column->begin(), column->begin() + static_cast<long>(half));
  std::vector<U32> combined(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) combined[i] = i < half;
  const auto results = apply(kernel, 3 * comparisons.size(), a, b, combined);
  for (std::size_t which = 0; which < comparisons.size(); ++which)
    for (std::size_t i = 0; i < a.size(); ++i) {
      const bool t = holds(comparisons[which], relation(read(a[i]), read(b[i]))), c = combined[i] != 0;
      const bool bits[] = {t, !t, t && c, !t && c, t || !c, !t || !c, t != c};
      U32 expected = 0;
      for (int bit = 0; bit < 7; ++bit) expected |= U32{bits[bit]} << bit;
      const U32* result = &results[3 * which * a.size() + i];
      SCOPED_TRACE(testing::Message() << comparisons[which] << " of " << std::hex << U64(a[i]) << ", " << U64(b[i]));
      ASSERT_EQ(result[0], expected);
      ASSERT_EQ(result[a.size()], t ? 0xffffffffu : 0u);
      ASSERT_EQ(result[2 * a.size()], t != c ? 0x3f800000u : 0u);
    }
}

template <class T>
std::vector<T> edges() {
  using Limits = std::numeric_limits<T>;
  return {0, 1, 2, T(-1), T(-2), Limits::max(), Limits::min(), T(Limits::max() - 1), T(Limits::min() + 1)};
}

// Tests setp and set under a guard: inactive lanes must keep their predicates and registers.
__global__ void guarded(U32* out, int count, const U32* a, const U32* b, const U32* guards) {
  const int i = Results<U32>::index();
  if (i >= count) return;
  Results<U32> results(out, count);
  U32 bits, word = 7;
  asm volatile(
      "{.reg .pred p, q, on; .reg .b32 bit;\n"
      "setp.ne.u32 on, %4, 0; mov.pred p, 1; mov.pred q, 1;\n"
      "@on setp.lt.u32 p|q, %2, %3; selp.u32 %0, 1, 0, p; selp.u32 bit, 2, 0, q; or.b32 %0, %0, bit;\n"
      "@on set.lt.u32.u32 %1, %2, %3;}\n"
      : "=&r"(bits), "+r"(word)
      : "r"(a[i]), "r"(b[i]), "r"(guards[i]));
  results.put(bits);
  results.put(word);
}

TEST(Comparison, Guarded) {
  auto [a, b, guards] = operands<3>(std::vector<U32>{0, 1, 5, 0xffffffff}, 100);
  for (U32& guard : guards) guard &= 1;
  const auto results = apply(guarded, 2, a, b, guards);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const U32 less = a[i] < b[i];
    EXPECT_EQ(results[i], guards[i] == 0 ? 3 : 2 - less) << i;
    EXPECT_EQ(results[a.size() + i], guards[i] == 0 ? 7 : 0 - less) << i;
  }
}

template <class T>
T itself(T bits) {
  return bits;
}

TEST(Comparison, Bits) {
  check<std::uint16_t>(compare_b16, kEqualities, edges<std::uint16_t>(), itself<std::uint16_t>);
  check<U32>(compare_b32, kEqualities, edges<U32>(), itself<U32>);
  check<U64>(compare_b64, kEqualities, edges<U64>(), itself<U64>);
}

TEST(Comparison, UnsignedIntegers) {
  check<std::uint16_t>(compare_u16, kUnsignedOrders, edges<std::uint16_t>(), itself<std::uint16_t>);
  check<U32>(compare_u32, kUnsignedOrders, edges<U32>(), itself<U32>);
  check<U64>(compare_u64, kUnsignedOrders, edges<U64>(), itself<U64>);
}

TEST(Comparison, SignedIntegers) {
  check<std::int16_t>(compare_s16, kOrders, edges<std::int16_t>(), itself<std::int16_t>);
  check<std::int32_t>(compare_s32, kOrders, edges<std::int32_t>(), itself<std::int32_t>);
  check<std::int64_t>(compare_s64, kOrders, edges<std::int64_t>(), itself<std::int64_t>);
}

TEST(Comparison, Floats) {
  const std::vector<U32> special = {0,          0x80000000, 1,          0x80000001, 0x007fffff, 0x807fffff, 0x00800000,
                                    0x80800000, 0x3f800000, 0xbf800000, 0x3f800001, 0x7f7fffff, 0xff7fffff, 0x7f800000,
                                    0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001, 0xffbfffff};
  check<U32>(compare_f32, kFloatOrders, special, [](U32 bits) { return value_of(bits, 32, 23); });
  check<U32>(compare_ftz, kFloatOrders, special, [](U32 bits) { return flushed_value_of(bits, 32, 23); });
}

TEST(Comparison, Doubles) {
  const std::vector<U64> special = {0,
                                    0x8000000000000000,
                                    1,
                                    0x8000000000000001,
                                    0x000fffffffffffff,
                                    0x0010000000000000,
                                    0x3ff0000000000000,
                                    0xbff0000000000000,
                                    0x3ff0000000000001,
                                    0x7fefffffffffffff,
                                    0x7ff0000000000000,
                                    0xfff0000000000000,
                                    0x7ff8000000000000,
                                    0xfff0000000000001};
  check<U64>(compare_f64, kFloatOrders, special, [](U64 bits) { return value_of(bits, 64, 52); });
}

}  // namespace conformance::comparison_test
