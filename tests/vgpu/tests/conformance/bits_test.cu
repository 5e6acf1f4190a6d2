// SPDX-License-Identifier: Apache-2.0
//
// Compares bit counts, bit searches and bit fields with loops over single bits.
#include <algorithm>

#include "guarded_instruction.cuh"

namespace conformance {

PTX_1(Popc32, "popc.b32 %0, %2", U32, "r", U32, "r");
PTX_1(Popc64, "popc.b64 %0, %2", U32, "r", U64, "l");
PTX_1(Clz32, "clz.b32 %0, %2", U32, "r", U32, "r");
PTX_1(Clz64, "clz.b64 %0, %2", U32, "r", U64, "l");
PTX_1(BfindU32, "bfind.u32 %0, %2", U32, "r", U32, "r");
PTX_1(BfindS32, "bfind.s32 %0, %2", U32, "r", S32, "r");
PTX_1(BfindU64, "bfind.u64 %0, %2", U32, "r", U64, "l");
PTX_1(BfindS64, "bfind.s64 %0, %2", U32, "r", S64, "l");
PTX_1(BfindShiftU32, "bfind.shiftamt.u32 %0, %2", U32, "r", U32, "r");
PTX_1(BfindShiftS32, "bfind.shiftamt.s32 %0, %2", U32, "r", S32, "r");
PTX_1(BfindShiftU64, "bfind.shiftamt.u64 %0, %2", U32, "r", U64, "l");
PTX_1(BfindShiftS64, "bfind.shiftamt.s64 %0, %2", U32, "r", S64, "l");
PTX_1(Brev32, "brev.b32 %0, %2", U32, "r", U32, "r");
PTX_1(Brev64, "brev.b64 %0, %2", U64, "l", U64, "l");
PTX_3(Fns, "fns.b32 %0, %2, %3, %4", U32, "r", U32, "r", U32, "r", S32, "r");
PTX_3(BfeU32, "bfe.u32 %0, %2, %3, %4", U32, "r", U32, "r", U32, "r", U32, "r");
PTX_3(BfeS32, "bfe.s32 %0, %2, %3, %4", S32, "r", S32, "r", U32, "r", U32, "r");
PTX_3(BfeU64, "bfe.u64 %0, %2, %3, %4", U64, "l", U64, "l", U32, "r", U32, "r");
PTX_3(BfeS64, "bfe.s64 %0, %2, %3, %4", S64, "l", S64, "l", U32, "r", U32, "r");
PTX_4(Bfi32, "bfi.b32 %0, %2, %3, %4, %5", U32, "r", U32, "r", U32, "r", U32, "r", U32, "r");
PTX_4(Bfi64, "bfi.b64 %0, %2, %3, %4, %5", U64, "l", U64, "l", U64, "l", U32, "r", U32, "r");
PTX_2(SzextClampU, "szext.clamp.u32 %0, %2, %3", U32, "r", U32, "r", U32, "r");
PTX_2(SzextClampS, "szext.clamp.s32 %0, %2, %3", S32, "r", S32, "r", U32, "r");
PTX_2(SzextWrapU, "szext.wrap.u32 %0, %2, %3", U32, "r", U32, "r", U32, "r");
PTX_2(SzextWrapS, "szext.wrap.s32 %0, %2, %3", S32, "r", S32, "r", U32, "r");
PTX_2(BmskClamp, "bmsk.clamp.b32 %0, %2, %3", U32, "r", U32, "r", U32, "r");
PTX_2(BmskWrap, "bmsk.wrap.b32 %0, %2, %3", U32, "r", U32, "r", U32, "r");

namespace bits_test {

template <class T>
constexpr int kBits = 8 * sizeof(T);

template <class T>
bool bit(T word, int i) {
  return (word >> i & 1) != 0;
}

template <class T>
U32 population(T a) {
  U32 count = 0;
  for (int i = 0; i < kBits<T>; ++i) count += bit(a, i) ? 1 : 0;
  return count;
}

// Returns the position of the highest bit that differs from the sign bit, or -1 if there is none.
template <class T>
int highest(T a) {
  const bool sign = std::numeric_limits<T>::is_signed && a < 0;
  int i = kBits<T> - 1;
  while (i >= 0 && bit(a, i) == sign) --i;
  return i;
}

template <class T>
U32 leading_zeros(T a) {
  return static_cast<U32>(kBits<T> - 1 - highest(a));
}
template <class T>
U32 place(T a) {
  return static_cast<U32>(highest(a));
}
template <class T>
U32 shift_to_place(T a) {
  return highest(a) < 0 ? 0xffffffff : static_cast<U32>(kBits<T> - 1 - highest(a));
}

TEST(Bits, Counts) {
  check<Popc32>(population<U32>);
  check<Popc64>(population<U64>);
  check<Clz32>(leading_zeros<U32>);
  check<Clz64>(leading_zeros<U64>);
}

TEST(Bits, Highest) {
  check<BfindU32>(place<U32>);
  check<BfindS32>(place<S32>);
  check<BfindU64>(place<U64>);
  check<BfindS64>(place<S64>);
  check<BfindShiftU32>(shift_to_place<U32>);
  check<BfindShiftS32>(shift_to_place<S32>);
  check<BfindShiftU64>(shift_to_place<U64>);
  check<BfindShiftS64>(shift_to_place<S64>);
}

template <class T>
T reversed(T a) {
  T out = 0;
  for (int i = 0; i < kBits<T>; ++i) out |= T{bit(a, i)} << (kBits<T> - 1 - i);
  return out;
}

TEST(Bits, Reversed) {
  check<Brev32>(reversed<U32>);
  check<Brev64>(reversed<U64>);
}

TEST(Bits, Nth) {
  const std::vector<U32> masks = {0, 1, 0x80000000, 0xffffffff, 0x12345678, 0xaaaaaaaa, 0x00010001};
  std::vector<U32> bases(32);
  for (U32 i = 0; i < 32; ++i) bases[i] = i;
  const std::vector<S32> counts = {0,   1,   2,   3,
                                   4,   15,  16,  17,
                                   31,  32,  33,  std::numeric_limits<S32>::max(),
                                   -1,  -2,  -5,  -16,
                                   -31, -32, -33, std::numeric_limits<S32>::min()};
  const auto nth = [](U32 mask, U32 base, S32 n) -> U32 {
    if (n == 0) return bit(mask, base) ? base : 0xffffffff;
    S64 left = n < 0 ? -S64{n} : n;
    for (int i = static_cast<int>(base); i >= 0 && i < 32; i += n < 0 ? -1 : 1)
      if (bit(mask, i) && --left == 0) return static_cast<U32>(i);
    return 0xffffffff;
  };
  check_with<Fns>(nth, masks, bases, counts);
}

template <class T>
T extracted(T a, U32 position, U32 length) {
  constexpr int kLast = kBits<T> - 1;
  const int first = position & 0xff, count = length & 0xff;
  const bool fill = std::numeric_limits<T>::is_signed && count != 0 && bit(a, std::min(first + count - 1, kLast));
  U64 out = 0;
  for (int i = 0; i <= kLast; ++i) out |= U64{i < count && first + i <= kLast ? bit(a, first + i) : fill} << i;
  return static_cast<T>(out);
}

template <class T>
T inserted(T a, T b, U32 position, U32 length) {
  const int first = position & 0xff, count = length & 0xff;
  for (int i = 0; i < count && first + i < kBits<T>; ++i) {
    const T place = T{1} << (first + i);
    b = bit(a, i) ? b | place : b & ~place;
  }
  return b;
}

TEST(Bits, Fields) {
  check_with<BfeU32>(extracted<U32>, edges<U32>(), amounts(), amounts());
  check_with<BfeS32>(extracted<S32>, edges<S32>(), amounts(), amounts());
  check_with<BfeU64>(extracted<U64>, edges<U64>(), amounts(), amounts());
  check_with<BfeS64>(extracted<S64>, edges<S64>(), amounts(), amounts());
  check_with<Bfi32>(inserted<U32>, edges<U32>(), std::vector<U32>{0, 0xffffffff, 0x12345678}, amounts(), amounts());
  check_with<Bfi64>(inserted<U64>, edges<U64>(), std::vector<U64>{0, ~U64{0}, 0x123456789abcdef0}, amounts(),
                    amounts());
}

// Selects the lowest `width` bits. A width above 31 means 32 bits with .clamp, and width modulo 32 with .wrap.
template <class T, bool clamps>
T extended(T a, U32 width) {
  if (clamps && width >= 32) return a;
  const int count = width & 31;
  if (count == 0) return 0;
  const bool fill = std::numeric_limits<T>::is_signed && bit(a, count - 1);
  U32 out = 0;
  for (int i = 0; i < 32; ++i) out |= U32{i < count ? bit(a, i) : fill} << i;
  return static_cast<T>(out);
}

template <bool clamps>
U32 mask_of(U32 position, U32 width) {
  U32 out = 0;
  for (U64 i = 0; i < 32; ++i) {
    const U64 first = clamps ? position : position & 31, count = clamps ? width : width & 31;
    out |= U32{i >= first && i < first + count} << i;
  }
  return out;
}

TEST(Bits, Extensions) {
  check_with<SzextClampU>(extended<U32, true>, edges<U32>(), amounts());
  check_with<SzextClampS>(extended<S32, true>, edges<S32>(), amounts());
  check_with<SzextWrapU>(extended<U32, false>, edges<U32>(), amounts());
  check_with<SzextWrapS>(extended<S32, false>, edges<S32>(), amounts());
}

TEST(Bits, Masks) {
  check_with<BmskClamp>(mask_of<true>, amounts(), amounts());
  check_with<BmskWrap>(mask_of<false>, amounts(), amounts());
}

}  // namespace bits_test
}  // namespace conformance
