// SPDX-License-Identifier: Apache-2.0
//
// Tests cvt between single values, bit for bit: all types, rounding modes and saturation, with registers wider than the
// types.
#include "conversion_reference.h"
#include "elementwise.cuh"

namespace conformance::conversion_test {

// The arguments of X are the text and the kinds of the destination and source registers. The kinds are asm constraint
// letters: h, r and l for 16, 32 and 64 bits, f for f32 and d for f64. Registers may be wider than the types, except
// with bf16.
// clang-format off
#define TO_WHOLE(X, to, from, o, i) \
  X("cvt.rni." to "." from, o, i) X("cvt.rzi." to "." from, o, i) X("cvt.rmi." to "." from, o, i) \
  X("cvt.rpi." to "." from, o, i)
#define TO_INTEGERS_EXACTLY(X, from, i) \
  TO_WHOLE(X, "u16", from, h, i) TO_WHOLE(X, "s16", from, h, i) TO_WHOLE(X, "u32", from, r, i) \
  TO_WHOLE(X, "s32", from, r, i) TO_WHOLE(X, "u64", from, l, i) TO_WHOLE(X, "s64", from, l, i)
#define TO_INTEGERS(X, from, i) \
  TO_INTEGERS_EXACTLY(X, from, i) TO_WHOLE(X, "u8", from, h, i) TO_WHOLE(X, "s8", from, r, i) \
  TO_WHOLE(X, "s16", from, r, i) TO_WHOLE(X, "u32", from, l, i)

#define ROUNDED(X, to, from, o, i) \
  X("cvt.rn." to "." from, o, i) X("cvt.rz." to "." from, o, i) X("cvt.rm." to "." from, o, i) \
  X("cvt.rp." to "." from, o, i)
#define FROM_INTEGERS_EXACTLY(X, to, o) \
  ROUNDED(X, to, "u16", o, h) ROUNDED(X, to, "s16", o, h) ROUNDED(X, to, "u32", o, r) ROUNDED(X, to, "s32", o, r) \
  ROUNDED(X, to, "u64", o, l) ROUNDED(X, to, "s64", o, l)
// clang-format on
#define FROM_INTEGERS(X, to, o) FROM_INTEGERS_EXACTLY(X, to, o) ROUNDED(X, to, "u8", o, h) ROUNDED(X, to, "s8", o, r)

// clang-format off
#define INTEGERS_OF(X, from, i) \
  X("cvt.u8." from, h, i) X("cvt.s8." from, h, i) X("cvt.s8." from, l, i) X("cvt.u16." from, h, i) \
  X("cvt.s16." from, h, i) X("cvt.s16." from, r, i) X("cvt.u16." from, l, i) X("cvt.u32." from, r, i) \
  X("cvt.s32." from, r, i) X("cvt.s32." from, l, i) X("cvt.u64." from, l, i) X("cvt.s64." from, l, i)
#define INTEGERS(X) \
  INTEGERS_OF(X, "u8", h) INTEGERS_OF(X, "s8", h) INTEGERS_OF(X, "s8", r) INTEGERS_OF(X, "u16", h) \
  INTEGERS_OF(X, "s16", h) INTEGERS_OF(X, "s16", l) INTEGERS_OF(X, "u32", r) INTEGERS_OF(X, "s32", r) \
  INTEGERS_OF(X, "u32", l) INTEGERS_OF(X, "u64", l) INTEGERS_OF(X, "s64", l)
#define SATURATED(X) \
  X("cvt.sat.u8.s32", h, r) X("cvt.sat.s8.s32", r, r) X("cvt.sat.u8.u32", h, r) X("cvt.sat.s8.u16", h, h) \
  X("cvt.sat.u16.s64", h, l) X("cvt.sat.s16.u64", h, l) X("cvt.sat.u32.s32", r, r) X("cvt.sat.s32.u32", r, r) \
  X("cvt.sat.u32.s8", r, h) X("cvt.sat.s32.s64", r, l) X("cvt.sat.u64.s64", l, l) X("cvt.sat.s64.u64", l, l) \
  X("cvt.sat.u64.s16", l, h) X("cvt.sat.u32.u64", r, l)

#define FLOATS(X) \
  ROUNDED(X, "f32", "f64", f, d) ROUNDED(X, "f16", "f32", h, f) ROUNDED(X, "f16", "f64", h, d) \
  X("cvt.f32.f16", f, h) X("cvt.f64.f16", d, h) X("cvt.f64.f32", d, f) X("cvt.ftz.f64.f32", d, f) \
  X("cvt.ftz.f32.f32", f, f) X("cvt.sat.f32.f32", f, f) X("cvt.ftz.sat.f32.f32", f, f) X("cvt.sat.f64.f64", d, d) \
  X("cvt.rn.ftz.f32.f64", f, d) X("cvt.rp.ftz.sat.f32.f64", f, d) X("cvt.rn.ftz.f16.f32", h, f) \
  X("cvt.rn.sat.f16.f32", h, f) X("cvt.rz.sat.f16.f64", h, d) X("cvt.sat.f16.f16", h, h) \
  X("cvt.sat.f32.f16", f, h) X("cvt.rn.f16.f32", r, f) X("cvt.f32.f16", f, r) X("cvt.rzi.s32.f16", r, r) \
  X("cvt.rn.sat.f32.s32", f, r) X("cvt.rn.sat.f16.u8", h, h) TO_WHOLE(X, "f32", "f32", f, f) \
  TO_WHOLE(X, "f64", "f64", d, d) TO_WHOLE(X, "f16", "f16", h, h) X("cvt.rni.ftz.f32.f32", f, f) \
  X("cvt.rpi.ftz.f32.f32", f, f) X("cvt.rpi.sat.f32.f32", f, f) X("cvt.rpi.ftz.s32.f32", r, f) \
  X("cvt.rmi.ftz.s64.f32", l, f) X("cvt.rzi.sat.u8.f32", h, f)

#define FROM_80(X) \
  X("cvt.rn.bf16.f32", h, f) X("cvt.rz.bf16.f32", h, f) X("cvt.f32.bf16", f, h) X("cvt.rn.relu.bf16.f32", h, f) \
  X("cvt.rz.satfinite.bf16.f32", h, f) X("cvt.rn.relu.satfinite.bf16.f32", h, f) X("cvt.rn.relu.f16.f32", h, f) \
  X("cvt.rn.satfinite.f16.f32", h, f) X("cvt.rz.relu.satfinite.f16.f32", h, f)

#define FROM_90(X) \
  TO_INTEGERS_EXACTLY(X, "bf16", h) FROM_INTEGERS_EXACTLY(X, "bf16", h) ROUNDED(X, "bf16", "f64", h, d) \
  ROUNDED(X, "bf16", "f16", h, h) ROUNDED(X, "f16", "bf16", h, h) X("cvt.f64.bf16", d, h) \
  X("cvt.rp.bf16.f32", h, f) X("cvt.rm.bf16.f32", h, f) X("cvt.ftz.f32.bf16", f, h) \
  TO_WHOLE(X, "bf16", "bf16", h, h)
// clang-format on

// asm accepts only a string literal, so the instruction's text is a macro argument.
#define CONVERT(text, o, i)                                \
  {                                                        \
    Registers converted;                                   \
    asm(text " %0, %1;" : "=" #o(converted.o) : #i(in.i)); \
    results.put(bits_of(converted.o));                     \
  }
#define TEXT(text, o, i) {text, #o[0]},

// An operand, whose lower bits are stored in registers of all kinds.
struct Registers {
  Bits l;
  std::uint32_t r;
  std::uint16_t h;
  float f;
  double d;
};

__device__ Registers registers_of(Bits bits) {
  const auto word = static_cast<std::uint32_t>(bits);
  return {bits, word, static_cast<std::uint16_t>(bits), __uint_as_float(word),
          __longlong_as_double(static_cast<long long>(bits))};
}

__device__ Bits bits_of(Bits value) { return value; }
__device__ Bits bits_of(std::uint32_t value) { return value; }
__device__ Bits bits_of(std::uint16_t value) { return value; }
__device__ Bits bits_of(float value) { return __float_as_uint(value); }
__device__ Bits bits_of(double value) { return static_cast<Bits>(__double_as_longlong(value)); }

__global__ void from_singles(Bits* out, int count, const Bits* operands) {
  const int index = Results<Bits>::index();
  if (index >= count) return;
  Results<Bits> results(out, count);
  const Registers in = registers_of(operands[index]);
  TO_INTEGERS(CONVERT, "f32", f)
  TO_INTEGERS(CONVERT, "f16", h)
}

__global__ void from_doubles(Bits* out, int count, const Bits* operands) {
  const int index = Results<Bits>::index();
  if (index >= count) return;
  Results<Bits> results(out, count);
  const Registers in = registers_of(operands[index]);
  TO_INTEGERS(CONVERT, "f64", d)
}

__global__ void from_integers(Bits* out, int count, const Bits* operands) {
  const int index = Results<Bits>::index();
  if (index >= count) return;
  Results<Bits> results(out, count);
  const Registers in = registers_of(operands[index]);
  FROM_INTEGERS(CONVERT, "f16", h)
  FROM_INTEGERS(CONVERT, "f32", f)
  FROM_INTEGERS(CONVERT, "f64", d)
}

__global__ void between_integers(Bits* out, int count, const Bits* operands) {
  const int index = Results<Bits>::index();
  if (index >= count) return;
  Results<Bits> results(out, count);
  const Registers in = registers_of(operands[index]);
  INTEGERS(CONVERT)
  SATURATED(CONVERT)
}

__global__ void between_floats(Bits* out, int count, const Bits* operands) {
  const int index = Results<Bits>::index();
  if (index >= count) return;
  Results<Bits> results(out, count);
  const Registers in = registers_of(operands[index]);
  FLOATS(CONVERT)
}

__global__ void from_80(Bits* out, int count, const Bits* operands) {
#if __CUDA_ARCH__ >= 800
  const int index = Results<Bits>::index();
  if (index >= count) return;
  Results<Bits> results(out, count);
  const Registers in = registers_of(operands[index]);
  FROM_80(CONVERT)
#endif
}

__global__ void from_90(Bits* out, int count, const Bits* operands) {
#if __CUDA_ARCH__ >= 900
  const int index = Results<Bits>::index();
  if (index >= count) return;
  Results<Bits> results(out, count);
  const Registers in = registers_of(operands[index]);
  FROM_90(CONVERT)
#endif
}

struct Instruction {
  const char* text;
  char out;  // the kind of the destination register
};

void run(void (*kernel)(Bits*, int, const Bits*), const std::vector<Instruction>& instructions) {
  const std::vector<Bits> values = conversion_operands();
  const std::vector<Bits> results = apply(kernel, instructions.size(), values);
  for (std::size_t i = 0; i < instructions.size(); ++i) {
    const char out = instructions[i].out;
    const int bits = out == 'h' ? 16 : (out == 'r' || out == 'f' ? 32 : 64);
    expect_converted(instructions[i].text, bits, &results[i * values.size()], values);
  }
}

TEST(Conversion, FloatsAndHalvesToIntegers) {
  run(from_singles, {TO_INTEGERS(TEXT, "f32", f) TO_INTEGERS(TEXT, "f16", h)});
}
TEST(Conversion, DoublesToIntegers) { run(from_doubles, {TO_INTEGERS(TEXT, "f64", d)}); }
TEST(Conversion, IntegersToFloats) {
  run(from_integers, {FROM_INTEGERS(TEXT, "f16", h) FROM_INTEGERS(TEXT, "f32", f) FROM_INTEGERS(TEXT, "f64", d)});
}
TEST(Conversion, BetweenIntegers) { run(between_integers, {INTEGERS(TEXT) SATURATED(TEXT)}); }
TEST(Conversion, BetweenFloats) { run(between_floats, {FLOATS(TEXT)}); }

TEST(Conversion, SinceAmpere) {
  if (code_architecture() < 80) GTEST_SKIP() << "needs sm_80";
  run(from_80, {FROM_80(TEXT)});
}

TEST(Conversion, SinceHopper) {
  if (code_architecture() < 90) GTEST_SKIP() << "needs sm_90";
  run(from_90, {FROM_90(TEXT)});
}

}  // namespace conformance::conversion_test
