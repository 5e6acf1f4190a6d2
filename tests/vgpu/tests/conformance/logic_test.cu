// SPDX-License-Identifier: Apache-2.0
//
// Tests and, or, xor, not, cnot and lop3 on words and on predicates.
#include <functional>
#include <utility>

#include "elementwise.cuh"
#include "guarded_instruction.cuh"

namespace conformance {

// clang-format off
#define OF_BITS_2(Name, opcode) \
  PTX_2(Name##16, opcode ".b16 %0, %2, %3", U16, "h", U16, "h", U16, "h"); \
  PTX_2(Name##32, opcode ".b32 %0, %2, %3", U32, "r", U32, "r", U32, "r"); \
  PTX_2(Name##64, opcode ".b64 %0, %2, %3", U64, "l", U64, "l", U64, "l")
#define OF_BITS_1(Name, opcode) \
  PTX_1(Name##16, opcode ".b16 %0, %2", U16, "h", U16, "h"); \
  PTX_1(Name##32, opcode ".b32 %0, %2", U32, "r", U32, "r"); \
  PTX_1(Name##64, opcode ".b64 %0, %2", U64, "l", U64, "l")
// clang-format on
OF_BITS_2(And, "and");
OF_BITS_2(Or, "or");
OF_BITS_2(Xor, "xor");
OF_BITS_1(Not, "not");
OF_BITS_1(Cnot, "cnot");
PTX_3(Majority, "lop3.b32 %0, %2, %3, %4, 0xe8", U32, "r", U32, "r", U32, "r", U32, "r");
PTX_3(Parity, "lop3.and.b32 %0|on, %2, %3, %4, 0x96, on", U32, "r", U32, "r", U32, "r", U32, "r");

namespace logic_test {

template <class T>
T conjunction(T a, T b) {
  return a & b;
}
template <class T>
T disjunction(T a, T b) {
  return a | b;
}
template <class T>
T difference(T a, T b) {
  return a ^ b;
}
template <class T>
T complement(T a) {
  return static_cast<T>(~a);
}
template <class T>
T is_zero(T a) {
  return a == 0;
}

#define CHECK_EACH_WIDTH(instruction, expected) \
  check<instruction##16>(expected<U16>), check<instruction##32>(expected<U32>), check<instruction##64>(expected<U64>)

TEST(Logic, Words) {
  CHECK_EACH_WIDTH(And, conjunction);
  CHECK_EACH_WIDTH(Or, disjunction);
  CHECK_EACH_WIDTH(Xor, difference);
  CHECK_EACH_WIDTH(Not, complement);
  CHECK_EACH_WIDTH(Cnot, is_zero);
}

// ---- lop3 -----------------------------------------------------------------------------------------------------------

template <U32 kTable>
__device__ U32 lop3(U32 a, U32 b, U32 c) {
  U32 d;
  asm volatile("lop3.b32 %0, %1, %2, %3, %4;" : "=r"(d) : "r"(a), "r"(b), "r"(c), "n"(kTable));
  return d;
}

template <U32... kTables>
__device__ void each_table(Results<U32>& results, U32 a, U32 b, U32 c, std::integer_sequence<U32, kTables...>) {
  (results.put(lop3<kTables>(a, b, c)), ...);
}

__global__ void all_tables(U32* out, int count, const U32* a, const U32* b, const U32* c) {
  const int i = Results<U32>::index();
  if (i >= count) return;
  Results<U32> results(out, count);
  each_table(results, a[i], b[i], c[i], std::make_integer_sequence<U32, 256>());
}

U32 looked_up(U32 table, U32 a, U32 b, U32 c) {
  U32 out = 0;
  for (int i = 0; i < 32; ++i) {
    const U32 row = (a >> i & 1) * 4 + (b >> i & 1) * 2 + (c >> i & 1);
    out |= (table >> row & 1) << i;
  }
  return out;
}

TEST(Logic, AllTablesOfLop3) {
  const auto [a, b, c] = operands<3>(std::vector<U32>{0, 0xffffffff, 0xf0f0f0f0, 0xcccccccc, 0xaaaaaaaa}, 60);
  const auto results = apply(all_tables, 256, a, b, c);
  for (U32 table = 0; table < 256; ++table)
    for (std::size_t i = 0; i < a.size(); ++i)
      ASSERT_EQ(results[table * a.size() + i], looked_up(table, a[i], b[i], c[i])) << table << " of case " << i;
}

TEST(Logic, GuardedLop3) {
  check<Majority>(+[](U32 a, U32 b, U32 c) { return (a & b) | (b & c) | (c & a); });
  check<Parity>(+[](U32 a, U32 b, U32 c) { return a ^ b ^ c; });
}

__global__ void lop3_predicates(U32* out, int count, const U32* a, const U32* b, const U32* c, const U32* q) {
  const int i = Results<U32>::index();
  if (i >= count) return;
  Results<U32> results(out, count);
  U32 word, either, both, other;
  asm volatile(
      "{.reg .pred p, q;\n"
      "setp.ne.u32 q, %7, 0;\n"
      "lop3.or.b32 %0|p, %4, %5, %6, 0x96, q; selp.u32 %1, 1, 0, p;\n"
      "lop3.and.b32 _|p, %4, %5, %6, 0x80, q; selp.u32 %2, 1, 0, p;\n"
      "lop3.and.b32 _|p, %4, %5, %6, 0xfe, !q; selp.u32 %3, 1, 0, p;}\n"
      : "=&r"(word), "=&r"(either), "=&r"(both), "=r"(other)
      : "r"(a[i]), "r"(b[i]), "r"(c[i]), "r"(q[i]));
  for (const U32 result : {word, either, both, other}) results.put(result);
}

TEST(Logic, PredicateOfLop3) {
  const std::vector<U32> words = {0, 1, 0xffffffff, 0x80000000, 0x7fffffff};
  auto [a, b, c, q] = operands<4>(words, 64);
  for (U32& value : q) value &= 1;
  const auto results = apply(lop3_predicates, 4, a, b, c, q);
  const std::size_t count = a.size();
  for (std::size_t i = 0; i < count; ++i) {
    SCOPED_TRACE(testing::Message() << std::hex << a[i] << ", " << b[i] << ", " << c[i] << ", " << q[i]);
    ASSERT_EQ(results[i], a[i] ^ b[i] ^ c[i]);
    ASSERT_EQ(results[count + i], U32{(a[i] ^ b[i] ^ c[i]) != 0 || q[i] != 0});
    ASSERT_EQ(results[2 * count + i], U32{(a[i] & b[i] & c[i]) != 0 && q[i] != 0});
    ASSERT_EQ(results[3 * count + i], U32{(a[i] | b[i] | c[i]) != 0 && q[i] == 0});
  }
}

// ---- predicates -----------------------------------------------------------------------------------------------------

// Each lane has a different combination of a and b. A guard excludes lanes with bit 2 set, whose predicates must remain
// true.
__global__ void predicates(U32* out, int count, const U32* bits) {
  const int i = Results<U32>::index();
  if (i >= count) return;
  Results<U32> results(out, count);
  U32 d[7];
  asm volatile(
      "{.reg .pred a, b, d, on; .reg .b32 bit;\n"
      "and.b32 bit, %7, 1; setp.ne.u32 a, bit, 0;\n"
      "and.b32 bit, %7, 2; setp.ne.u32 b, bit, 0;\n"
      "and.b32 bit, %7, 4; setp.eq.u32 on, bit, 0;\n"
      "mov.pred d, 1; @on and.pred d, a, b; selp.u32 %0, 1, 0, d;\n"
      "mov.pred d, 1; @on or.pred d, a, b; selp.u32 %1, 1, 0, d;\n"
      "mov.pred d, 1; @on xor.pred d, a, b; selp.u32 %2, 1, 0, d;\n"
      "mov.pred d, 1; @on not.pred d, a; selp.u32 %3, 1, 0, d;\n"
      "mov.pred d, 1; @on mov.pred d, a; selp.u32 %4, 1, 0, d;\n"
      "mov.pred d, 1; @on and.pred d, a, !b; selp.u32 %5, 1, 0, d;\n"
      "mov.pred d, 1; @on mov.pred d, 0; selp.u32 %6, 1, 0, d;}\n"
      : "=&r"(d[0]), "=&r"(d[1]), "=&r"(d[2]), "=&r"(d[3]), "=&r"(d[4]), "=&r"(d[5]), "=r"(d[6])
      : "r"(bits[i]));
  for (const U32 result : d) results.put(result);
}

TEST(Logic, Predicates) {
  std::vector<U32> bits(64);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<U32>(i);
  const auto results = apply(predicates, 7, bits);
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const bool a = (i & 1) != 0, b = (i & 2) != 0, on = (i & 4) == 0;
    const bool expected[7] = {a && b, a || b, a != b, !a, a, a && !b, false};
    for (std::size_t operation = 0; operation < 7; ++operation)
      EXPECT_EQ(results[operation * bits.size() + i], U32{on ? expected[operation] : true}) << operation << " of " << i;
  }
}

}  // namespace logic_test
}  // namespace conformance
