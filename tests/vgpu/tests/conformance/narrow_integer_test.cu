// SPDX-License-Identifier: Apache-2.0
//
// Tests arithmetic on 24-bit integers, bytes and half words, and sums of absolute differences.
#include <algorithm>
#include <cstdlib>

#include "guarded_instruction.cuh"

namespace conformance {

// clang-format off
#define MULTIPLICATION_24(Name, part, T) \
  PTX_2(Mul##Name, "mul24." part " %0, %2, %3", T, "r", T, "r", T, "r"); \
  PTX_3(Mad##Name, "mad24." part " %0, %2, %3, %4", T, "r", T, "r", T, "r", T, "r")
// clang-format on
MULTIPLICATION_24(LowU, "lo.u32", U32);
MULTIPLICATION_24(LowS, "lo.s32", S32);
MULTIPLICATION_24(HighU, "hi.u32", U32);
MULTIPLICATION_24(HighS, "hi.s32", S32);
PTX_3(MadHighSat, "mad24.hi.sat.s32 %0, %2, %3, %4", S32, "r", S32, "r", S32, "r", S32, "r");

PTX_3(SadU16, "sad.u16 %0, %2, %3, %4", U16, "h", U16, "h", U16, "h", U16, "h");
PTX_3(SadS16, "sad.s16 %0, %2, %3, %4", S16, "h", S16, "h", S16, "h", S16, "h");
PTX_3(SadU32, "sad.u32 %0, %2, %3, %4", U32, "r", U32, "r", U32, "r", U32, "r");
PTX_3(SadS32, "sad.s32 %0, %2, %3, %4", S32, "r", S32, "r", S32, "r", S32, "r");
PTX_3(SadU64, "sad.u64 %0, %2, %3, %4", U64, "l", U64, "l", U64, "l", U64, "l");
PTX_3(SadS64, "sad.s64 %0, %2, %3, %4", S64, "l", S64, "l", S64, "l", S64, "l");

#define ON_WORDS(Name, text) PTX_3(Name, text " %0, %2, %3, %4", U32, "r", U32, "r", U32, "r", U32, "r")
ON_WORDS(Dp4aUU, "dp4a.u32.u32");
ON_WORDS(Dp4aUS, "dp4a.u32.s32");
ON_WORDS(Dp4aSU, "dp4a.s32.u32");
ON_WORDS(Dp4aSS, "dp4a.s32.s32");
ON_WORDS(Dp2aLowUU, "dp2a.lo.u32.u32");
ON_WORDS(Dp2aLowUS, "dp2a.lo.u32.s32");
ON_WORDS(Dp2aLowSU, "dp2a.lo.s32.u32");
ON_WORDS(Dp2aLowSS, "dp2a.lo.s32.s32");
ON_WORDS(Dp2aHighUU, "dp2a.hi.u32.u32");
ON_WORDS(Dp2aHighUS, "dp2a.hi.u32.s32");
ON_WORDS(Dp2aHighSU, "dp2a.hi.s32.u32");
ON_WORDS(Dp2aHighSS, "dp2a.hi.s32.s32");
ON_WORDS(DifferencesU, "vabsdiff4.u32.u32.u32");
ON_WORDS(DifferencesS, "vabsdiff4.u32.s32.s32");
ON_WORDS(DifferenceSumU, "vabsdiff4.u32.u32.u32.add");
ON_WORDS(DifferenceSumS, "vabsdiff4.u32.s32.s32.add");

namespace narrow_integer_test {

// Returns bits [first, first + count) of a word as a number.
S64 field(U32 word, int first, int count, bool is_signed) {
  const S64 value = word >> first & ((S64{1} << count) - 1);
  return is_signed && (value >> (count - 1) & 1) != 0 ? value - (S64{1} << count) : value;
}

template <class T>
S64 product_24(T a, T b) {
  constexpr bool kSigned = std::numeric_limits<T>::is_signed;
  return field(static_cast<U32>(a), 0, 24, kSigned) * field(static_cast<U32>(b), 0, 24, kSigned);
}

template <class T>
T low_24(T a, T b) {
  return static_cast<T>(product_24(a, b));
}
template <class T>
T high_24(T a, T b) {
  return static_cast<T>(product_24(a, b) >> 16);
}
template <class T>
T low_24_sum(T a, T b, T c) {
  return static_cast<T>(product_24(a, b) + c);
}
template <class T>
T high_24_sum(T a, T b, T c) {
  return static_cast<T>((product_24(a, b) >> 16) + c);
}

TEST(NarrowInteger, Products24) {
  check<MulLowU>(low_24<U32>);
  check<MulLowS>(low_24<S32>);
  check<MulHighU>(high_24<U32>);
  check<MulHighS>(high_24<S32>);
  check<MadLowU>(low_24_sum<U32>);
  check<MadLowS>(low_24_sum<S32>);
  check<MadHighU>(high_24_sum<U32>);
  check<MadHighS>(high_24_sum<S32>);
  check<MadHighSat>(+[](S32 a, S32 b, S32 c) {
    using Limits = std::numeric_limits<S32>;
    return static_cast<S32>(std::clamp<S64>((product_24(a, b) >> 16) + c, Limits::min(), Limits::max()));
  });
}

__extension__ typedef __int128 Wide;

template <class T>
T difference_sum(T a, T b, T c) {
  const Wide difference = Wide{a} - b;
  return static_cast<T>((difference < 0 ? -difference : difference) + c);
}

TEST(NarrowInteger, DifferenceSums) {
  check<SadU16>(difference_sum<U16>);
  check<SadS16>(difference_sum<S16>);
  check<SadU32>(difference_sum<U32>);
  check<SadS32>(difference_sum<S32>);
  check<SadU64>(difference_sum<U64>);
  check<SadS64>(difference_sum<S64>);
}

// Returns c plus the dot product of the `bits` wide elements of a and the bytes of b, starting at byte `first`.
template <int bits, int first, bool a_signed, bool b_signed>
U32 dot_product(U32 a, U32 b, U32 c) {
  S64 sum = c;
  for (int i = 0; i < 32 / bits; ++i)
    sum += field(a, bits * i, bits, a_signed) * field(b, 8 * (first + i), 8, b_signed);
  return static_cast<U32>(sum);
}

TEST(NarrowInteger, DotProducts) {
  check<Dp4aUU>(dot_product<8, 0, false, false>);
  check<Dp4aUS>(dot_product<8, 0, false, true>);
  check<Dp4aSU>(dot_product<8, 0, true, false>);
  check<Dp4aSS>(dot_product<8, 0, true, true>);
  check<Dp2aLowUU>(dot_product<16, 0, false, false>);
  check<Dp2aLowUS>(dot_product<16, 0, false, true>);
  check<Dp2aLowSU>(dot_product<16, 0, true, false>);
  check<Dp2aLowSS>(dot_product<16, 0, true, true>);
  check<Dp2aHighUU>(dot_product<16, 2, false, false>);
  check<Dp2aHighUS>(dot_product<16, 2, false, true>);
  check<Dp2aHighSU>(dot_product<16, 2, true, false>);
  check<Dp2aHighSS>(dot_product<16, 2, true, true>);
}

template <bool is_signed>
U32 byte_differences(U32 a, U32 b, U32) {
  U32 out = 0;
  for (int i = 0; i < 32; i += 8)
    out |= static_cast<U32>(std::abs(field(a, i, 8, is_signed) - field(b, i, 8, is_signed))) << i;
  return out;
}

template <bool is_signed>
U32 byte_difference_sum(U32 a, U32 b, U32 c) {
  for (int i = 0; i < 32; i += 8)
    c += static_cast<U32>(std::abs(field(a, i, 8, is_signed) - field(b, i, 8, is_signed)));
  return c;
}

TEST(NarrowInteger, ByteDifferences) {
  check<DifferencesU>(byte_differences<false>);
  check<DifferencesS>(byte_differences<true>);
  check<DifferenceSumU>(byte_difference_sum<false>);
  check<DifferenceSumS>(byte_difference_sum<true>);
}

}  // namespace narrow_integer_test
}  // namespace conformance
