// SPDX-License-Identifier: Apache-2.0
//
// Tests mov in all its forms, cvta and isspacep.
#include "elementwise.cuh"
#include "guarded_instruction.cuh"

namespace conformance {

PTX_1(MovB16, "mov.b16 %0, %2", U16, "h", U16, "h");
PTX_1(MovU32, "mov.u32 %0, %2", U32, "r", U32, "r");
PTX_1(MovF64, "mov.f64 %0, %2", U64, "l", U64, "l");
PTX_2(PackWords, "mov.b64 %0, {%2, %3}", U64, "l", U32, "r", U32, "r");
PTX_2(PackHalves, "mov.b32 %0, {%2, %3}", U32, "r", U16, "h", U16, "h");
PTX_2(PackFour, "mov.b64 %0, {%2, %3, %3, %2}", U64, "l", U16, "h", U16, "h");
PTX_1(PackConstant, "mov.b64 %0, {%2, 0x89abcdef}", U64, "l", U32, "r");
PTX_1(LowWord, "mov.b64 {%0, _}, %2", U32, "r", U64, "l");
PTX_1(HighWord, "mov.b64 {_, %0}, %2", U32, "r", U64, "l");
PTX_1(LowHalf, "mov.b32 {%0, _}, %2", U16, "h", U32, "r");
PTX_1(HighHalf, "mov.b32 {_, %0}, %2", U16, "h", U32, "r");
PTX_1(ThirdHalf, "mov.b64 {_, _, %0, _}, %2", U16, "h", U64, "l");

namespace move_test {

template <class T>
T itself(T a) {
  return a;
}

TEST(Move, Registers) {
  check<MovB16>(itself<U16>);
  check<MovU32>(itself<U32>);
  check<MovF64>(itself<U64>);
}

TEST(Move, Vectors) {
  check<PackWords>(+[](U32 a, U32 b) { return U64{b} << 32 | a; });
  check<PackHalves>(+[](U16 a, U16 b) { return U32{b} << 16 | a; });
  check<PackFour>(+[](U16 a, U16 b) { return U64{a} << 48 | U64{b} << 32 | U64{b} << 16 | a; });
  check<PackConstant>(+[](U32 a) { return U64{0x89abcdef} << 32 | a; });
  check<LowWord>(+[](U64 a) { return static_cast<U32>(a); });
  check<HighWord>(+[](U64 a) { return static_cast<U32>(a >> 32); });
  check<LowHalf>(+[](U32 a) { return static_cast<U16>(a); });
  check<HighHalf>(+[](U32 a) { return static_cast<U16>(a >> 16); });
  check<ThirdHalf>(+[](U64 a) { return static_cast<U16>(a >> 32); });
}

// Moves 128-bit and 8-bit values, for which inline asm has no register constraints.
__global__ void large_and_small(U64* out, int count, const U64* a, const U64* b) {
  const int i = Results<U64>::index();
  if (i >= count) return;
  Results<U64> results(out, count);
  U64 low, high, swapped;
  asm volatile("{.reg .b128 x, y; mov.b128 x, {%2, %3}; mov.b128 y, x; mov.b128 {%0, %1}, y;}"
               : "=l"(low), "=l"(high)
               : "l"(a[i]), "l"(b[i]));
  results.put(low);
  results.put(high);
  asm volatile(
      "{.reg .b8 b<4>; .reg .b32 low, high, other;\n"
      "mov.b64 {low, high}, %1; mov.b32 {b0, b1, b2, b3}, low; mov.b32 other, {b3, b2, b1, b0};\n"
      "mov.b64 %0, {other, high};}\n"
      : "=l"(swapped)
      : "l"(a[i]));
  results.put(swapped);
}

TEST(Move, LargeAndSmall) {
  const auto [a, b] = operands<2>(std::vector<U64>{0, ~U64{0}, 0x0123456789abcdef, 0x8000000000000001}, 50);
  const auto results = apply(large_and_small, 3, a, b);
  const std::size_t count = a.size();
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(results[i], a[i]);
    ASSERT_EQ(results[count + i], b[i]);
    ASSERT_EQ(results[2 * count + i], (a[i] & 0xffffffff00000000) | __builtin_bswap32(static_cast<U32>(a[i])));
  }
}

__global__ void constants(U64* out, int count) {
  if (Results<U64>::index() >= count) return;
  Results<U64> results(out, count);
  U16 half;
  U32 word;
  U64 wide;
  asm volatile("mov.u16 %0, 0xfffe;" : "=h"(half));
  results.put(half);
  asm volatile("mov.s32 %0, -3;" : "=r"(word));
  results.put(word);
  asm volatile("mov.u32 %0, WARP_SZ;" : "=r"(word));
  results.put(word);
  asm volatile("{.reg .f32 x; mov.f32 x, 0f3fc00000; mov.b32 %0, x;}" : "=r"(word));
  results.put(word);
  asm volatile("{.reg .f32 x; mov.f32 x, 1.5; mov.b32 %0, x;}" : "=r"(word));
  results.put(word);
  asm volatile("{.reg .f64 x; mov.f64 x, -0.1; mov.b64 %0, x;}" : "=l"(wide));
  results.put(wide);
  asm volatile("mov.b64 %0, 0d3ff8000000000000;" : "=l"(wide));
  results.put(wide);
  asm volatile("mov.b64 %0, 0x123456789abcdef0;" : "=l"(wide));
  results.put(wide);
  // The name of this register resembles the name of a special register.
  asm volatile("{.reg .b32 %%pmx; mov.b32 %%pmx, 17; mov.b32 %0, %%pmx;}" : "=r"(word));
  results.put(word);
}

TEST(Move, Constants) {
  const DeviceArray<U64> out(9);
  constants<<<1, 1>>>(out.get(), 1);
  const std::vector<U64> expected = {
      0xfffe, 0xfffffffd, 32, 0x3fc00000, 0x3fc00000, 0xbfb999999999999a, 0x3ff8000000000000, 0x123456789abcdef0, 17};
  EXPECT_EQ(out.read(), expected);
}

// ---- addresses ------------------------------------------------------------------------------------------------------

__device__ int global_variable[4] = {1, 2, 3, 4};
__constant__ int constant_variable[4] = {5, 6, 7, 8};

// Bit k is set if isspacep is true for the k-th state space.
__device__ U32 spaces_of(const void* address) {
  U32 out;
  asm volatile(
      "{.reg .pred p; .reg .b32 bit;\n"
      "isspacep.global p, %1; selp.u32 %0, 1, 0, p;\n"
      "isspacep.shared p, %1; selp.u32 bit, 2, 0, p; or.b32 %0, %0, bit;\n"
      "isspacep.local p, %1; selp.u32 bit, 4, 0, p; or.b32 %0, %0, bit;\n"
      "isspacep.const p, %1; selp.u32 bit, 8, 0, p; or.b32 %0, %0, bit;\n"
      "isspacep.shared::cta p, %1; selp.u32 bit, 16, 0, p; or.b32 %0, %0, bit;}\n"
      : "=&r"(out)
      : "l"(address));
  return out;
}

// Converts the address to the state space and back. The result is -1 if the round trip changes the address.
#define ROUND_TRIP(space)                                                       \
  [](void* address) {                                                           \
    U64 there, back;                                                            \
    asm volatile("cvta.to." space ".u64 %0, %1;" : "=l"(there) : "l"(address)); \
    asm volatile("cvta." space ".u64 %0, %1;" : "=l"(back) : "l"(there));       \
    return reinterpret_cast<U64>(address) == back ? there : ~U64{0};            \
  }

__global__ void addresses(U32* spaces, U64* seen) {
  __shared__ int shared[8];
  int local[4] = {9, 10, static_cast<int>(threadIdx.x), 12};
  asm volatile("" ::"l"(local) : "memory");
  shared[5] = 42;
  const U64 in_global = ROUND_TRIP("global")(global_variable);
  const U64 in_shared = ROUND_TRIP("shared")(&shared[5]);
  const U64 in_local = ROUND_TRIP("local")(&local[2]);
  spaces[0] = spaces_of(global_variable);
  spaces[1] = spaces_of(shared);
  spaces[2] = spaces_of(local);
  spaces[3] = spaces_of(constant_variable);
  U32 value;
  asm volatile("ld.global.u32 %0, [%1+8];" : "=r"(value) : "l"(in_global));
  seen[0] = value;
  asm volatile("ld.shared.u32 %0, [%1];" : "=r"(value) : "l"(in_shared) : "memory");
  seen[1] = value;
  asm volatile("ld.local.u32 %0, [%1];" : "=r"(value) : "l"(in_local) : "memory");
  seen[2] = value;
  U64 of_constant;
  asm volatile("{.reg .u64 a; cvta.to.const.u64 a, %1; ld.const.u32 %0, [a+4];}"
               : "=r"(value)
               : "l"(constant_variable));
  seen[3] = value;
  asm volatile("cvta.global.u64 %0, %1;" : "=l"(of_constant) : "l"(in_global));
  seen[4] = of_constant == reinterpret_cast<U64>(global_variable);
}

TEST(Move, Addresses) {
  const DeviceArray<U32> spaces(4);
  const DeviceArray<U64> seen(5);
  addresses<<<1, 1>>>(spaces.get(), seen.get());
  EXPECT_EQ(spaces.read(), (std::vector<U32>{1, 2 | 16, 4, 8}));
  EXPECT_EQ(seen.read(), (std::vector<U64>{3, 42, 0, 6, 1}));
}

struct Parameter {
  int values[6];
};

__device__ U32 is_parameter(const void* address) {
  U32 inside;
  asm volatile("{.reg .pred p; isspacep.param p, %1; selp.u32 %0, 1, 0, p;}" : "=r"(inside) : "l"(address));
  return inside;
}
__device__ __noinline__ U32 is_parameter_of_kernel(const void* address) { return is_parameter(address); }

__global__ void parameter_address(const __grid_constant__ Parameter parameter, int index, U32* out) {
  const int* values = parameter.values;
  out[0] = is_parameter(values);
  out[1] = is_parameter_of_kernel(values);
  out[2] = is_parameter_of_kernel(out);
  out[3] = static_cast<U32>(values[index]);
}

TEST(Move, AddressOfParameter) {
  const DeviceArray<U32> out(4);
  parameter_address<<<1, 1>>>(Parameter{{3, 1, 4, 1, 5, 9}}, 4, out.get());
  EXPECT_EQ(out.read(), (std::vector<U32>{1, 1, 0, 5}));
}

}  // namespace move_test
}  // namespace conformance
