// SPDX-License-Identifier: Apache-2.0
//
// Tests shl, shr, shf and prmt.
#include <algorithm>

#include "guarded_instruction.cuh"

namespace conformance {

PTX_2(Shl16, "shl.b16 %0, %2, %3", U16, "h", U16, "h", U32, "r");
PTX_2(Shl32, "shl.b32 %0, %2, %3", U32, "r", U32, "r", U32, "r");
PTX_2(Shl64, "shl.b64 %0, %2, %3", U64, "l", U64, "l", U32, "r");
PTX_2(ShrB16, "shr.b16 %0, %2, %3", U16, "h", U16, "h", U32, "r");
PTX_2(ShrB32, "shr.b32 %0, %2, %3", U32, "r", U32, "r", U32, "r");
PTX_2(ShrB64, "shr.b64 %0, %2, %3", U64, "l", U64, "l", U32, "r");
PTX_2(ShrU16, "shr.u16 %0, %2, %3", U16, "h", U16, "h", U32, "r");
PTX_2(ShrU32, "shr.u32 %0, %2, %3", U32, "r", U32, "r", U32, "r");
PTX_2(ShrU64, "shr.u64 %0, %2, %3", U64, "l", U64, "l", U32, "r");
PTX_2(ShrS16, "shr.s16 %0, %2, %3", S16, "h", S16, "h", U32, "r");
PTX_2(ShrS32, "shr.s32 %0, %2, %3", S32, "r", S32, "r", U32, "r");
PTX_2(ShrS64, "shr.s64 %0, %2, %3", S64, "l", S64, "l", U32, "r");

#define ON_WORDS(Name, text) PTX_3(Name, text " %0, %2, %3, %4", U32, "r", U32, "r", U32, "r", U32, "r")
ON_WORDS(LeftClamp, "shf.l.clamp.b32");
ON_WORDS(LeftWrap, "shf.l.wrap.b32");
ON_WORDS(RightClamp, "shf.r.clamp.b32");
ON_WORDS(RightWrap, "shf.r.wrap.b32");
ON_WORDS(Permute, "prmt.b32");
ON_WORDS(PermuteF4e, "prmt.b32.f4e");
ON_WORDS(PermuteB4e, "prmt.b32.b4e");
ON_WORDS(PermuteRc8, "prmt.b32.rc8");
ON_WORDS(PermuteEcl, "prmt.b32.ecl");
ON_WORDS(PermuteEcr, "prmt.b32.ecr");
ON_WORDS(PermuteRc16, "prmt.b32.rc16");

namespace shift_test {

// Shifts one bit at a time. A left shift fills with zeros; a right shift fills with the sign bit or with zeros.
template <class T>
T left(T a, U32 by) {
  for (U32 i = 0; i < std::min(by, 64u); ++i) a = static_cast<T>(a << 1);
  return a;
}
template <class T>
T right(T a, U32 by) {
  for (U32 i = 0; i < std::min(by, 64u); ++i) a = static_cast<T>(a >> 1);
  return a;
}

TEST(Shift, LeftAndRight) {
  check_with<Shl16>(left<U16>, edges<U16>(), amounts());
  check_with<Shl32>(left<U32>, edges<U32>(), amounts());
  check_with<Shl64>(left<U64>, edges<U64>(), amounts());
  check_with<ShrB16>(right<U16>, edges<U16>(), amounts());
  check_with<ShrB32>(right<U32>, edges<U32>(), amounts());
  check_with<ShrB64>(right<U64>, edges<U64>(), amounts());
  check_with<ShrU16>(right<U16>, edges<U16>(), amounts());
  check_with<ShrU32>(right<U32>, edges<U32>(), amounts());
  check_with<ShrU64>(right<U64>, edges<U64>(), amounts());
  check_with<ShrS16>(right<S16>, edges<S16>(), amounts());
  check_with<ShrS32>(right<S32>, edges<S32>(), amounts());
  check_with<ShrS64>(right<S64>, edges<S64>(), amounts());
}

U32 count_of(bool clamps, U32 by) { return clamps ? std::min(by, 32u) : by % 32; }

template <bool clamps>
U32 upper(U32 a, U32 b, U32 by) {
  return static_cast<U32>(left(U64{b} << 32 | a, count_of(clamps, by)) >> 32);
}
template <bool clamps>
U32 lower(U32 a, U32 b, U32 by) {
  return static_cast<U32>(right(U64{b} << 32 | a, count_of(clamps, by)));
}

TEST(Shift, Funnel) {
  check_with<LeftClamp>(upper<true>, edges<U32>(), edges<U32>(), amounts());
  check_with<LeftWrap>(upper<false>, edges<U32>(), edges<U32>(), amounts());
  check_with<RightClamp>(lower<true>, edges<U32>(), edges<U32>(), amounts());
  check_with<RightWrap>(lower<false>, edges<U32>(), edges<U32>(), amounts());
}

U32 byte_of(U32 a, U32 b, U32 i) { return (i < 4 ? a >> 8 * i : b >> 8 * (i - 4)) & 0xff; }

TEST(Shift, PermuteBytes) {
  std::vector<U32> selectors = {0x3210, 0x7654, 0x0123, 0x5410, 0xffff, 0x0000};
  for (U32 i = 0; i < 0x10000; i += 0x357) selectors.push_back(i | i << 16);
  const auto permuted = [](U32 a, U32 b, U32 selector) {
    U32 out = 0;
    for (U32 i = 0; i < 4; ++i) {
      const U32 digit = selector >> 4 * i & 0xf, byte = byte_of(a, b, digit % 8);
      out |= (digit < 8 ? byte : byte >= 0x80 ? 0xffu : 0u) << 8 * i;
    }
    return out;
  };
  check_with<Permute>(permuted, std::vector<U32>{0x83c2a190, 0x7f80017e}, std::vector<U32>{0x44d3e2f1, 0xff008001},
                      selectors);
}

// The bytes that a mode of prmt selects for each value of the selector's two low bits, the most significant byte first.
struct Mode {
  const char* picks[4];
};

template <class Instruction>
void check_mode(const Mode& mode) {
  const auto permuted = [&](U32 a, U32 b, U32 selector) {
    U32 out = 0;
    for (const char* pick = mode.picks[selector % 4]; *pick != '\0'; ++pick)
      out = out << 8 | byte_of(a, b, static_cast<U32>(*pick - '0'));
    return out;
  };
  check_with<Instruction>(permuted, std::vector<U32>{0x83c2a190, 0x7f80017e}, std::vector<U32>{0x44d3e2f1, 0xff008001},
                          std::vector<U32>{0, 1, 2, 3, 0xfffffffc, 0x3211, 0x12345676, 7});
}

TEST(Shift, PermuteModes) {
  check_mode<PermuteF4e>({{"3210", "4321", "5432", "6543"}});
  check_mode<PermuteB4e>({{"5670", "6701", "7012", "0123"}});
  check_mode<PermuteRc8>({{"0000", "1111", "2222", "3333"}});
  check_mode<PermuteEcl>({{"3210", "3211", "3222", "3333"}});
  check_mode<PermuteEcr>({{"0000", "1110", "2210", "3210"}});
  check_mode<PermuteRc16>({{"1010", "3232", "1010", "3232"}});
}

}  // namespace shift_test
}  // namespace conformance
