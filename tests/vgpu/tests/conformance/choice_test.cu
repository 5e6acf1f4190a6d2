// SPDX-License-Identifier: Apache-2.0
//
// Tests selp and slct.
#include "guarded_instruction.cuh"

namespace conformance {

#define SELP(type) "{.reg .pred c; setp.ne.u32 c, %4, 0; @on selp." type " %0, %2, %3, c; }"
#define SELP_NOT(type) "{.reg .pred c; setp.ne.u32 c, %4, 0; @on selp." type " %0, %2, %3, !c; }"

// The guard is part of the text, after the instruction that sets the predicate.
#define CHOICE(Name, text, T, t)                                                                                  \
  struct Name {                                                                                                   \
    using Result = T;                                                                                             \
    static constexpr const char* kText = text;                                                                    \
    static __device__ void run(T& out, U32 on, T x, T y, U32 c) {                                                 \
      asm volatile("{.reg .pred on; setp.ne.u32 on, %1, 0;" text "}" : "+" t(out) : "r"(on), t(x), t(y), "r"(c)); \
    }                                                                                                             \
  }
CHOICE(SelpB16, SELP("b16"), U16, "h");
CHOICE(SelpS16, SELP_NOT("s16"), U16, "h");
CHOICE(SelpB32, SELP("b32"), U32, "r");
CHOICE(SelpF32, SELP_NOT("f32"), U32, "r");
CHOICE(SelpU64, SELP("u64"), U64, "l");
CHOICE(SelpF64, SELP_NOT("f64"), U64, "l");

#define SLCT(Name, text, T, t) PTX_3(Name, "slct." text " %0, %2, %3, %4", T, t, T, t, T, t, U32, "r")
SLCT(SlctB16, "b16.s32", U16, "h");
SLCT(SlctU32, "u32.s32", U32, "r");
SLCT(SlctF32, "f32.s32", U32, "r");
SLCT(SlctS64, "s64.s32", U64, "l");
SLCT(SlctU16ByFloat, "u16.f32", U16, "h");
SLCT(SlctB32ByFloat, "b32.f32", U32, "r");
SLCT(SlctF64ByFloat, "f64.f32", U64, "l");
SLCT(SlctB16Flushing, "ftz.b16.f32", U16, "h");
SLCT(SlctU32Flushing, "ftz.u32.f32", U32, "r");
SLCT(SlctB64Flushing, "ftz.b64.f32", U64, "l");

namespace choice_test {

template <class T>
T first_if(T a, T b, U32 c) {
  return c != 0 ? a : b;
}
template <class T>
T second_if(T a, T b, U32 c) {
  return c != 0 ? b : a;
}

TEST(Choice, ByPredicate) {
  const std::vector<U32> conditions = {0, 1};
  check_with<SelpB16>(first_if<U16>, edges<U16>(), edges<U16>(), conditions);
  check_with<SelpS16>(second_if<U16>, edges<U16>(), edges<U16>(), conditions);
  check_with<SelpB32>(first_if<U32>, edges<U32>(), edges<U32>(), conditions);
  check_with<SelpF32>(second_if<U32>, edges<U32>(), edges<U32>(), conditions);
  check_with<SelpU64>(first_if<U64>, edges<U64>(), edges<U64>(), conditions);
  check_with<SelpF64>(second_if<U64>, edges<U64>(), edges<U64>(), conditions);
}

template <class T>
T by_sign(T a, T b, U32 c) {
  return static_cast<S32>(c) >= 0 ? a : b;
}

TEST(Choice, BySign) {
  check_with<SlctB16>(by_sign<U16>, edges<U16>(), edges<U16>(), edges<U32>());
  check_with<SlctU32>(by_sign<U32>, edges<U32>(), edges<U32>(), edges<U32>());
  check_with<SlctF32>(by_sign<U32>, edges<U32>(), edges<U32>(), edges<U32>());
  check_with<SlctS64>(by_sign<U64>, edges<U64>(), edges<U64>(), edges<U32>());
}

// slct tests c >= 0, which holds for a float that is not NaN if it is positive or -0. With .ftz, a negative subnormal
// number becomes -0.
template <class T, bool flushes>
T by_float(T a, T b, U32 c) {
  const U32 magnitude = c & 0x7fffffff;
  if (magnitude > 0x7f800000) return b;
  const bool negative = c >> 31 != 0 && magnitude != 0 && !(flushes && magnitude < 0x00800000);
  return negative ? b : a;
}

TEST(Choice, ByFloat) {
  const std::vector<U32> floats = {0,          0x80000000, 1,          0x80000001, 0x007fffff, 0x807fffff,
                                   0x00800000, 0x80800000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000,
                                   0x7fc00000, 0xffc00000, 0x7f800001, 0xff800001};
  check_with<SlctU16ByFloat>(by_float<U16, false>, edges<U16>(), edges<U16>(), floats);
  check_with<SlctB32ByFloat>(by_float<U32, false>, edges<U32>(), edges<U32>(), floats);
  check_with<SlctF64ByFloat>(by_float<U64, false>, edges<U64>(), edges<U64>(), floats);
  check_with<SlctB16Flushing>(by_float<U16, true>, edges<U16>(), edges<U16>(), floats);
  check_with<SlctU32Flushing>(by_float<U32, true>, edges<U32>(), edges<U32>(), floats);
  check_with<SlctB64Flushing>(by_float<U64, true>, edges<U64>(), edges<U64>(), floats);
}

}  // namespace choice_test
}  // namespace conformance
