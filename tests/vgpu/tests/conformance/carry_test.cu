// SPDX-License-Identifier: Apache-2.0
//
// Compares multi-word arithmetic with carries to 128-bit arithmetic on the host.
#include <random>

#include "elementwise.cuh"

namespace conformance::carry_test {

using U32 = std::uint32_t;
using U64 = std::uint64_t;
using S64 = std::int64_t;
__extension__ typedef unsigned __int128 Wide;

Wide joined(U64 low, U64 high) { return Wide{high} << 64 | low; }

// Each number has 128 bits, stored as two 64-bit words or four 32-bit words.
__global__ void add_and_subtract(U64* out, int count, const U64* a_low, const U64* a_high, const U64* b_low,
                                 const U64* b_high) {
  const int i = Results<U64>::index();
  if (i >= count) return;
  Results<U64> results(out, count);
  const U64 a0 = a_low[i], a1 = a_high[i], b0 = b_low[i], b1 = b_high[i];
  U64 low, high, carry;
  asm volatile("add.cc.u64 %0, %3, %5; addc.cc.u64 %1, %4, %6; addc.u64 %2, 0, 0;"
               : "=&l"(low), "=&l"(high), "=l"(carry)
               : "l"(a0), "l"(a1), "l"(b0), "l"(b1));
  results.put(low);
  results.put(high);
  results.put(carry);
  asm volatile("sub.cc.s64 %0, %3, %5; subc.cc.s64 %1, %4, %6; subc.s64 %2, 0, 0;"
               : "=&l"(low), "=&l"(high), "=l"(carry)
               : "l"(a0), "l"(a1), "l"(b0), "l"(b1));
  results.put(low);
  results.put(high);
  results.put(carry);
  asm volatile(
      "{.reg .b32 a<4>, b<4>, c<4>;\n"
      "mov.b64 {a0, a1}, %2; mov.b64 {a2, a3}, %3; mov.b64 {b0, b1}, %4; mov.b64 {b2, b3}, %5;\n"
      "add.cc.u32 c0, a0, b0; addc.cc.s32 c1, a1, b1; addc.cc.u32 c2, a2, b2; addc.u32 c3, a3, b3;\n"
      "mov.b64 %0, {c0, c1}; mov.b64 %1, {c2, c3};}\n"
      : "=l"(low), "=l"(high)
      : "l"(a0), "l"(a1), "l"(b0), "l"(b1));
  results.put(low);
  results.put(high);
  asm volatile(
      "{.reg .b32 a<4>, b<4>, c<4>;\n"
      "mov.b64 {a0, a1}, %2; mov.b64 {a2, a3}, %3; mov.b64 {b0, b1}, %4; mov.b64 {b2, b3}, %5;\n"
      "sub.cc.u32 c0, a0, b0; subc.cc.s32 c1, a1, b1; subc.cc.u32 c2, a2, b2; subc.u32 c3, a3, b3;\n"
      "mov.b64 %0, {c0, c1}; mov.b64 %1, {c2, c3};}\n"
      : "=l"(low), "=l"(high)
      : "l"(a0), "l"(a1), "l"(b0), "l"(b1));
  results.put(low);
  results.put(high);
}

const std::vector<U64> kWords = {
    0, 1, 2, ~U64{0}, ~U64{0} - 1, U64{1} << 63, U64{1} << 32, 0xffffffff, 0x7fffffffffffffff};

TEST(Carry, SumsAndDifferences) {
  const auto [a0, a1, b0, b1] = operands<4>(kWords, 1000);
  const auto results = apply(add_and_subtract, 10, a0, a1, b0, b1);
  const std::size_t count = a0.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Wide a = joined(a0[i], a1[i]), b = joined(b0[i], b1[i]);
    const auto word = [&](std::size_t instruction) { return results[instruction * count + i]; };
    SCOPED_TRACE(testing::Message() << std::hex << a1[i] << ":" << a0[i] << ", " << b1[i] << ":" << b0[i]);
    ASSERT_TRUE(joined(word(0), word(1)) == a + b);
    ASSERT_EQ(word(2), U64{a + b < a});
    ASSERT_TRUE(joined(word(3), word(4)) == a - b);
    ASSERT_EQ(word(5), a < b ? ~U64{0} : 0);
    ASSERT_TRUE(joined(word(6), word(7)) == a + b);
    ASSERT_TRUE(joined(word(8), word(9)) == a - b);
  }
}

// Accumulates four 32-bit products to 64 x 64 = 128 bits, and tests 64-bit mad.lo and mad.hi.
__global__ void multiply(U64* out, int count, const U64* a, const U64* b, const U64* c, const U64* d) {
  const int i = Results<U64>::index();
  if (i >= count) return;
  Results<U64> results(out, count);
  U64 low, high, carry;
  asm volatile(
      "{.reg .b32 a<2>, b<2>, c<4>;\n"
      "mov.b64 {a0, a1}, %2; mov.b64 {b0, b1}, %3;\n"
      "mul.lo.u32 c0, a0, b0; mul.hi.u32 c1, a0, b0;\n"
      "mad.lo.cc.u32 c1, a0, b1, c1; madc.hi.u32 c2, a0, b1, 0;\n"
      "mad.lo.cc.u32 c1, a1, b0, c1; madc.hi.cc.u32 c2, a1, b0, c2; addc.u32 c3, 0, 0;\n"
      "mad.lo.cc.u32 c2, a1, b1, c2; madc.hi.u32 c3, a1, b1, c3;\n"
      "mov.b64 %0, {c0, c1}; mov.b64 %1, {c2, c3};}\n"
      : "=l"(low), "=l"(high)
      : "l"(a[i]), "l"(b[i]));
  results.put(low);
  results.put(high);
  asm volatile("mad.lo.cc.u64 %0, %3, %4, %5; madc.hi.cc.u64 %1, %3, %4, %6; addc.u64 %2, 0, 0;"
               : "=&l"(low), "=&l"(high), "=l"(carry)
               : "l"(a[i]), "l"(b[i]), "l"(c[i]), "l"(d[i]));
  results.put(low);
  results.put(high);
  results.put(carry);
  asm volatile("mad.lo.cc.s64 %0, %2, %3, %4; madc.hi.s64 %1, %2, %3, %5;"
               : "=&l"(low), "=l"(high)
               : "l"(a[i]), "l"(b[i]), "l"(c[i]), "l"(d[i]));
  results.put(low);
  results.put(high);
}

TEST(Carry, Products) {
  const auto [a, b, c, d] = operands<4>(kWords, 1000);
  const auto results = apply(multiply, 7, a, b, c, d);
  const std::size_t count = a.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Wide product = Wide{a[i]} * b[i], addend = joined(c[i], d[i]);
    const auto word = [&](std::size_t instruction) { return results[instruction * count + i]; };
    SCOPED_TRACE(testing::Message() << std::hex << a[i] << " * " << b[i] << " + " << d[i] << ":" << c[i]);
    ASSERT_TRUE(joined(word(0), word(1)) == product);
    ASSERT_TRUE(joined(word(2), word(3)) == product + addend);
    // The carry out is the carry of the upper addition, which includes the carry in.
    ASSERT_EQ(word(4), U64{product + addend < addend});
    __extension__ typedef __int128 SignedWide;
    const SignedWide signed_product = SignedWide{static_cast<S64>(a[i])} * static_cast<S64>(b[i]);
    ASSERT_TRUE(joined(word(5), word(6)) == static_cast<Wide>(signed_product) + addend);
  }
}

// Each lane has its own carry flag. Only instructions with .cc change it, and only where their guard predicate is true.
__global__ void flags(U32* out, int count, const U32* guards) {
  const int i = Results<U32>::index();
  if (i >= count) return;
  Results<U32> results(out, count);
  U32 sum, after, borrowed;
  asm volatile(
      "{.reg .pred on; .reg .b32 unused;\n"
      "setp.ne.u32 on, %3, 0;\n"
      "add.cc.u32 unused, 0xffffffff, 1;\n"
      "@on add.cc.u32 unused, 1, 1;\n"
      "add.u32 unused, 1, 1; sub.u32 unused, 1, 2; mad.lo.u32 unused, unused, 3, 4;\n"
      "addc.u32 %0, 10, 0;\n"
      "addc.u32 %1, 20, 0;\n"
      "sub.cc.u32 unused, %3, 1;\n"
      "addc.u32 %2, 30, 0;}\n"
      : "=&r"(sum), "=&r"(after), "=r"(borrowed)
      : "r"(guards[i]));
  results.put(sum);
  results.put(after);
  results.put(borrowed);
}

TEST(Carry, FlagOfEachLane) {
  std::vector<U32> guards(100);
  for (std::size_t i = 0; i < guards.size(); ++i) guards[i] = 0x9d3a5c71u >> i % 32 & 1;
  const auto results = apply(flags, 3, guards);
  for (std::size_t i = 0; i < guards.size(); ++i) {
    EXPECT_EQ(results[i], guards[i] != 0 ? 10u : 11u) << i;
    EXPECT_EQ(results[guards.size() + i], guards[i] != 0 ? 20u : 21u) << i;
    // A subtraction adds the complement, so the carry flag is set if there is no borrow.
    EXPECT_EQ(results[2 * guards.size() + i], guards[i] != 0 ? 31u : 30u) << i;
  }
}

}  // namespace conformance::carry_test
