// SPDX-License-Identifier: Apache-2.0
//
// Compares integer arithmetic with 128-bit arithmetic.
#include <algorithm>

#include "guarded_instruction.cuh"

namespace conformance {

__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 UnsignedWide;

// Defines an instruction for each type, with two operands and a result of that type.
// clang-format off
#define FOR_EACH_TYPE_2(Name, opcode) \
  PTX_2(Name##U16, opcode ".u16 %0, %2, %3", U16, "h", U16, "h", U16, "h"); \
  PTX_2(Name##S16, opcode ".s16 %0, %2, %3", S16, "h", S16, "h", S16, "h"); \
  PTX_2(Name##U32, opcode ".u32 %0, %2, %3", U32, "r", U32, "r", U32, "r"); \
  PTX_2(Name##S32, opcode ".s32 %0, %2, %3", S32, "r", S32, "r", S32, "r"); \
  PTX_2(Name##U64, opcode ".u64 %0, %2, %3", U64, "l", U64, "l", U64, "l"); \
  PTX_2(Name##S64, opcode ".s64 %0, %2, %3", S64, "l", S64, "l", S64, "l")
#define FOR_EACH_TYPE_3(Name, opcode) \
  PTX_3(Name##U16, opcode ".u16 %0, %2, %3, %4", U16, "h", U16, "h", U16, "h", U16, "h"); \
  PTX_3(Name##S16, opcode ".s16 %0, %2, %3, %4", S16, "h", S16, "h", S16, "h", S16, "h"); \
  PTX_3(Name##U32, opcode ".u32 %0, %2, %3, %4", U32, "r", U32, "r", U32, "r", U32, "r"); \
  PTX_3(Name##S32, opcode ".s32 %0, %2, %3, %4", S32, "r", S32, "r", S32, "r", S32, "r"); \
  PTX_3(Name##U64, opcode ".u64 %0, %2, %3, %4", U64, "l", U64, "l", U64, "l", U64, "l"); \
  PTX_3(Name##S64, opcode ".s64 %0, %2, %3, %4", S64, "l", S64, "l", S64, "l", S64, "l")
// clang-format on

FOR_EACH_TYPE_2(Add, "add");
FOR_EACH_TYPE_2(Sub, "sub");
FOR_EACH_TYPE_2(MulLow, "mul.lo");
FOR_EACH_TYPE_2(MulHigh, "mul.hi");
FOR_EACH_TYPE_2(Div, "div");
FOR_EACH_TYPE_2(Rem, "rem");
FOR_EACH_TYPE_2(Min, "min");
FOR_EACH_TYPE_2(Max, "max");
FOR_EACH_TYPE_3(MadLow, "mad.lo");
FOR_EACH_TYPE_3(MadHigh, "mad.hi");

PTX_2(AddSat, "add.sat.s32 %0, %2, %3", S32, "r", S32, "r", S32, "r");
PTX_2(SubSat, "sub.sat.s32 %0, %2, %3", S32, "r", S32, "r", S32, "r");
PTX_3(MadHighSat, "mad.hi.sat.s32 %0, %2, %3, %4", S32, "r", S32, "r", S32, "r", S32, "r");
PTX_2(MulWideU16, "mul.wide.u16 %0, %2, %3", U32, "r", U16, "h", U16, "h");
PTX_2(MulWideS16, "mul.wide.s16 %0, %2, %3", S32, "r", S16, "h", S16, "h");
PTX_2(MulWideU32, "mul.wide.u32 %0, %2, %3", U64, "l", U32, "r", U32, "r");
PTX_2(MulWideS32, "mul.wide.s32 %0, %2, %3", S64, "l", S32, "r", S32, "r");
PTX_3(MadWideU16, "mad.wide.u16 %0, %2, %3, %4", U32, "r", U16, "h", U16, "h", U32, "r");
PTX_3(MadWideS16, "mad.wide.s16 %0, %2, %3, %4", S32, "r", S16, "h", S16, "h", S32, "r");
PTX_3(MadWideU32, "mad.wide.u32 %0, %2, %3, %4", U64, "l", U32, "r", U32, "r", U64, "l");
PTX_3(MadWideS32, "mad.wide.s32 %0, %2, %3, %4", S64, "l", S32, "r", S32, "r", S64, "l");
PTX_1(NegS16, "neg.s16 %0, %2", S16, "h", S16, "h");
PTX_1(NegS32, "neg.s32 %0, %2", S32, "r", S32, "r");
PTX_1(NegS64, "neg.s64 %0, %2", S64, "l", S64, "l");
PTX_1(AbsS16, "abs.s16 %0, %2", S16, "h", S16, "h");
PTX_1(AbsS32, "abs.s32 %0, %2", S32, "r", S32, "r");
PTX_1(AbsS64, "abs.s64 %0, %2", S64, "l", S64, "l");

PTX_2(AddU16x2, SINCE_90("add.u16x2 %0, %2, %3"), U32, "r", U32, "r", U32, "r");
PTX_2(AddS16x2, SINCE_90("add.s16x2 %0, %2, %3"), U32, "r", U32, "r", U32, "r");
PTX_2(MinU16x2, SINCE_90("min.u16x2 %0, %2, %3"), U32, "r", U32, "r", U32, "r");
PTX_2(MinS16x2, SINCE_90("min.s16x2 %0, %2, %3"), U32, "r", U32, "r", U32, "r");
PTX_2(MaxU16x2, SINCE_90("max.u16x2 %0, %2, %3"), U32, "r", U32, "r", U32, "r");
PTX_2(MaxS16x2, SINCE_90("max.s16x2 %0, %2, %3"), U32, "r", U32, "r", U32, "r");
PTX_2(MinReluS16x2, SINCE_90("min.s16x2.relu %0, %2, %3"), U32, "r", U32, "r", U32, "r");
PTX_2(MaxReluS16x2, SINCE_90("max.relu.s16x2 %0, %2, %3"), U32, "r", U32, "r", U32, "r");
PTX_2(MinReluS32, SINCE_90("min.relu.s32 %0, %2, %3"), S32, "r", S32, "r", S32, "r");
PTX_2(MaxReluS32, SINCE_90("max.s32.relu %0, %2, %3"), S32, "r", S32, "r", S32, "r");

namespace integer_test {

// Returns the low bits of an exact result, as many as T has.
template <class T>
T low(Wide value) {
  return static_cast<T>(value);
}

S32 clamped(Wide value) {
  return static_cast<S32>(std::clamp<Wide>(value, std::numeric_limits<S32>::min(), std::numeric_limits<S32>::max()));
}

// The product of two unsigned 64-bit numbers does not fit into a signed 128-bit number.
template <class T>
using Product = std::conditional_t<std::is_signed_v<T>, Wide, UnsignedWide>;

template <class T>
T product(T a, T b) {
  return static_cast<T>(static_cast<Product<T>>(a) * b);
}

template <class T>
T high(T a, T b) {
  return static_cast<T>(static_cast<Product<T>>(a) * b >> 8 * sizeof(T));
}

template <class T>
T quotient(T a, T b) {
  return b == 0 ? T(-1) : low<T>(Wide{a} / b);
}

template <class T>
T remainder_of(T a, T b) {
  return b == 0 ? T(-1) : low<T>(Wide{a} % b);
}

// Applies f to the lower and the upper halves of the words.
template <class Half>
U32 halves(U32 a, U32 b, Half (*f)(Half, Half)) {
  return U16(f(Half(a), Half(b))) | U32{U16(f(Half(a >> 16), Half(b >> 16)))} << 16;
}

// Compares `instruction##T` with the function template `expected`, for each type T.
#define CHECK_EACH_TYPE(instruction, expected)                                        \
  check<instruction##U16>(expected<U16>), check<instruction##S16>(expected<S16>),     \
      check<instruction##U32>(expected<U32>), check<instruction##S32>(expected<S32>), \
      check<instruction##U64>(expected<U64>), check<instruction##S64>(expected<S64>)

template <class T>
T sum(T a, T b) {
  return low<T>(Wide{a} + b);
}
template <class T>
T difference(T a, T b) {
  return low<T>(Wide{a} - b);
}
template <class T>
T least(T a, T b) {
  return std::min(a, b);
}
template <class T>
T most(T a, T b) {
  return std::max(a, b);
}
template <class T>
T product_sum(T a, T b, T c) {
  return sum(product(a, b), c);
}
template <class T>
T high_sum(T a, T b, T c) {
  return sum(high(a, b), c);
}

TEST(Integer, Sums) {
  CHECK_EACH_TYPE(Add, sum);
  CHECK_EACH_TYPE(Sub, difference);
}

TEST(Integer, SaturatedSums) {
  check<AddSat>(+[](S32 a, S32 b) { return clamped(Wide{a} + b); });
  check<SubSat>(+[](S32 a, S32 b) { return clamped(Wide{a} - b); });
  check<MadHighSat>(+[](S32 a, S32 b, S32 c) { return clamped((Wide{a} * b >> 32) + c); });
}

TEST(Integer, Products) {
  CHECK_EACH_TYPE(MulLow, product);
  CHECK_EACH_TYPE(MulHigh, high);
  CHECK_EACH_TYPE(MadLow, product_sum);
  CHECK_EACH_TYPE(MadHigh, high_sum);
}

TEST(Integer, WideProducts) {
  check<MulWideU16>(+[](U16 a, U16 b) { return low<U32>(Wide{a} * b); });
  check<MulWideS16>(+[](S16 a, S16 b) { return low<S32>(Wide{a} * b); });
  check<MulWideU32>(+[](U32 a, U32 b) { return low<U64>(Wide{a} * b); });
  check<MulWideS32>(+[](S32 a, S32 b) { return low<S64>(Wide{a} * b); });
  check<MadWideU16>(+[](U16 a, U16 b, U32 c) { return low<U32>(Wide{a} * b + c); });
  check<MadWideS16>(+[](S16 a, S16 b, S32 c) { return low<S32>(Wide{a} * b + c); });
  check<MadWideU32>(+[](U32 a, U32 b, U64 c) { return low<U64>(Wide{a} * b + c); });
  check<MadWideS32>(+[](S32 a, S32 b, S64 c) { return low<S64>(Wide{a} * b + c); });
}

// PTX leaves division by zero undefined; GPUs since sm_70 return all ones. The smallest integer divided by -1 is
// itself.
TEST(Integer, Quotients) {
  CHECK_EACH_TYPE(Div, quotient);
  CHECK_EACH_TYPE(Rem, remainder_of);
}

TEST(Integer, Extremes) {
  CHECK_EACH_TYPE(Min, least);
  CHECK_EACH_TYPE(Max, most);
}

TEST(Integer, Signs) {
  check<NegS16>(+[](S16 a) { return low<S16>(-Wide{a}); });
  check<NegS32>(+[](S32 a) { return low<S32>(-Wide{a}); });
  check<NegS64>(+[](S64 a) { return low<S64>(-Wide{a}); });
  check<AbsS16>(+[](S16 a) { return low<S16>(a < 0 ? -Wide{a} : Wide{a}); });
  check<AbsS32>(+[](S32 a) { return low<S32>(a < 0 ? -Wide{a} : Wide{a}); });
  check<AbsS64>(+[](S64 a) { return low<S64>(a < 0 ? -Wide{a} : Wide{a}); });
}

TEST(Integer, Halves) {
  if (architecture() < 90) GTEST_SKIP() << "16-bit halves need sm_90";
  check<AddU16x2>(+[](U32 a, U32 b) { return halves<U16>(a, b, sum<U16>); });
  check<AddS16x2>(+[](U32 a, U32 b) { return halves<S16>(a, b, sum<S16>); });
  check<MinU16x2>(+[](U32 a, U32 b) { return halves<U16>(a, b, least<U16>); });
  check<MinS16x2>(+[](U32 a, U32 b) { return halves<S16>(a, b, least<S16>); });
  check<MaxU16x2>(+[](U32 a, U32 b) { return halves<U16>(a, b, most<U16>); });
  check<MaxS16x2>(+[](U32 a, U32 b) { return halves<S16>(a, b, most<S16>); });
}

TEST(Integer, Rectified) {
  if (architecture() < 90) GTEST_SKIP() << ".relu needs sm_90";
  check<MinReluS32>(+[](S32 a, S32 b) { return std::max(std::min(a, b), 0); });
  check<MaxReluS32>(+[](S32 a, S32 b) { return std::max({a, b, 0}); });
  check<MinReluS16x2>(
      +[](U32 a, U32 b) { return halves<S16>(a, b, [](S16 x, S16 y) { return std::max(std::min(x, y), S16{0}); }); });
  check<MaxReluS16x2>(+[](U32 a, U32 b) {
    return halves<S16>(a, b, [](S16 x, S16 y) { return std::max({x, y, S16{0}}); });
  });
}

}  // namespace integer_test
}  // namespace conformance
