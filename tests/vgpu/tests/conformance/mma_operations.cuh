// SPDX-License-Identifier: Apache-2.0
//
// Describes the shapes of mma.sync as types: the number of registers, and the matrix element in each register of each
// lane, as the PTX ISA defines them.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cmath>
#include <cstdint>
#include <cstring>

namespace mma {

using U32 = std::uint32_t;
using U64 = std::uint64_t;

template <class To, class From>
To as(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

// ---- elements on the host -------------------------------------------------------------------------------------------

struct F16 {
  static constexpr int kBits = 16;
  static U64 bits(double x) { return __half_raw(__double2half(x)).x; }
  static double value(U64 bits) { return __half2float(__half(__half_raw{static_cast<unsigned short>(bits)})); }
};
struct BF16 {
  static constexpr int kBits = 16;
  static U64 bits(double x) { return __nv_bfloat16_raw(__double2bfloat16(x)).x; }
  static double value(U64 bits) {
    return __bfloat162float(__nv_bfloat16(__nv_bfloat16_raw{static_cast<unsigned short>(bits)}));
  }
};
struct F32 {
  static constexpr int kBits = 32;
  static U64 bits(double x) { return as<U32>(static_cast<float>(x)); }
  static double value(U64 bits) { return as<float>(static_cast<U32>(bits)); }
};
struct TF32 : F32 {};
struct F64 {
  static constexpr int kBits = 64;
  static U64 bits(double x) { return as<U64>(x); }
  static double value(U64 bits) { return as<double>(bits); }
};
template <class T>
struct Int {
  static constexpr int kBits = 8 * sizeof(T);
  static U64 bits(double x) { return static_cast<std::make_unsigned_t<T>>(static_cast<std::int64_t>(x)); }
  static double value(U64 bits) { return static_cast<T>(bits); }
};
using S8 = Int<std::int8_t>;
using U8 = Int<std::uint8_t>;
using S32 = Int<std::int32_t>;

// ---- layouts of fragments -------------------------------------------------------------------------------------------

struct Place {
  int row, column;
};

// Returns the place of element i of a lane. `group` and `member` are the lane's groupID and threadID_in_group in the
// PTX ISA.
template <int bits, int m>
__host__ __device__ Place place_in_a(int group, int member, int i) {
  if constexpr (bits == 16) return {group + (i % 4 < 2 ? 0 : 8), 2 * member + i % 2 + (i < 4 ? 0 : 8)};
  if constexpr (bits == 8 && m == 8) return {group, 4 * member + i};
  if constexpr (bits == 8 && m == 16) return {group + (i / 4 % 2 == 0 ? 0 : 8), 4 * member + i % 4 + (i < 8 ? 0 : 16)};
  if constexpr (bits >= 32 && m == 8) return {group, member};
  return {group + (i % 2 == 0 ? 0 : 8), member + 4 * (i / 2)};
}

template <int bits>
__host__ __device__ Place place_in_b(int group, int member, int i) {
  if constexpr (bits == 16) return {2 * member + i % 2 + (i < 2 ? 0 : 8), group};
  if constexpr (bits == 8) return {4 * member + i % 4 + (i < 4 ? 0 : 16), group};
  return {member + 4 * i, group};
}

__host__ __device__ inline Place place_in_c(int group, int member, int i) {
  return {group + (i < 2 ? 0 : 8), 2 * member + i % 2};
}

template <int m, int k, class ElementA, class ElementB, class ElementC, int architecture>
struct Shape {
  static constexpr int kM = m, kN = 8, kK = k, kArchitecture = architecture;
  using A = ElementA;
  using B = ElementB;
  using C = ElementC;
  using Register = std::conditional_t<A::kBits == 64, U64, U32>;
  static constexpr int kWord = 8 * sizeof(Register);
  static constexpr int kA = m * k * A::kBits / kWord / 32, kB = k * kN * B::kBits / kWord / 32,
                       kC = m * kN * C::kBits / kWord / 32;
};

// ---- instructions ---------------------------------------------------------------------------------------------------

#define MMA_4_4_2(name)                                                                                             \
  asm volatile("mma.sync.aligned." name " {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%10,%11,%12,%13};"                \
               : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])                                                     \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "r"(c[0]), "r"(c[1]), "r"(c[2]), \
                 "r"(c[3]))
#define MMA_4_2_1(name)                                                                  \
  asm volatile("mma.sync.aligned." name " {%0,%1,%2,%3}, {%4,%5}, {%6}, {%7,%8,%9,%10};" \
               : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])                          \
               : "r"(a[0]), "r"(a[1]), "r"(b[0]), "r"(c[0]), "r"(c[1]), "r"(c[2]), "r"(c[3]))

#define MMA_TYPE(Name, m, k, A, B, C, architecture, instruction)                                                      \
  struct Name : Shape<m, k, A, B, C, architecture> {                                                                  \
    static __device__ void run(Register* d, const Register* a, const Register* b, const Register* c) { instruction; } \
  }

MMA_TYPE(HalfK16, 16, 16, F16, F16, F32, 80, MMA_4_4_2("m16n8k16.row.col.f32.f16.f16.f32"));
MMA_TYPE(HalfK8, 16, 8, F16, F16, F32, 75, MMA_4_2_1("m16n8k8.row.col.f32.f16.f16.f32"));
MMA_TYPE(BrainK16, 16, 16, BF16, BF16, F32, 80, MMA_4_4_2("m16n8k16.row.col.f32.bf16.bf16.f32"));
MMA_TYPE(BrainK8, 16, 8, BF16, BF16, F32, 80, MMA_4_2_1("m16n8k8.row.col.f32.bf16.bf16.f32"));
MMA_TYPE(TensorK8, 16, 8, TF32, TF32, F32, 80, MMA_4_4_2("m16n8k8.row.col.f32.tf32.tf32.f32"));
MMA_TYPE(TensorK4, 16, 4, TF32, TF32, F32, 80, MMA_4_2_1("m16n8k4.row.col.f32.tf32.tf32.f32"));
MMA_TYPE(SignedK32, 16, 32, S8, S8, S32, 80, MMA_4_4_2("m16n8k32.row.col.s32.s8.s8.s32"));
MMA_TYPE(MixedK32, 16, 32, U8, S8, S32, 80, MMA_4_4_2("m16n8k32.row.col.satfinite.s32.u8.s8.s32"));
MMA_TYPE(SignedK16, 16, 16, S8, S8, S32, 80, MMA_4_2_1("m16n8k16.row.col.s32.s8.s8.s32"));
MMA_TYPE(HalfInHalfK16, 16, 16, F16, F16, F16, 80,
         asm volatile("mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%0,%1}, {%2,%3,%4,%5}, {%6,%7}, {%8,%9};"
                      : "=r"(d[0]), "=r"(d[1])
                      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "r"(c[0]), "r"(c[1])));
MMA_TYPE(HalfInHalfK8, 16, 8, F16, F16, F16, 75,
         asm volatile("mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16 {%0,%1}, {%2,%3}, {%4}, {%5,%6};"
                      : "=r"(d[0]), "=r"(d[1])
                      : "r"(a[0]), "r"(a[1]), "r"(b[0]), "r"(c[0]), "r"(c[1])));
MMA_TYPE(UnsignedK16, 8, 16, U8, U8, S32, 75,
         asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.u8.u8.s32 {%0,%1}, {%2}, {%3}, {%4,%5};"
                      : "=r"(d[0]), "=r"(d[1])
                      : "r"(a[0]), "r"(b[0]), "r"(c[0]), "r"(c[1])));
MMA_TYPE(DoubleK4, 8, 4, F64, F64, F64, 80,
         asm volatile("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64.rn {%0,%1}, {%2}, {%3}, {%4,%5};"
                      : "=l"(d[0]), "=l"(d[1])
                      : "l"(a[0]), "l"(b[0]), "l"(c[0]), "l"(c[1])));
MMA_TYPE(
    DoubleK16, 16, 16, F64, F64, F64, 90,
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f64.f64.f64.f64.rn {%0,%1,%2,%3}, {%4,%5,%6,%7,%8,%9,%10,%11}, "
                 "{%12,%13,%14,%15}, {%16,%17,%18,%19};"
                 : "=l"(d[0]), "=l"(d[1]), "=l"(d[2]), "=l"(d[3])
                 : "l"(a[0]), "l"(a[1]), "l"(a[2]), "l"(a[3]), "l"(a[4]), "l"(a[5]), "l"(a[6]), "l"(a[7]), "l"(b[0]),
                   "l"(b[1]), "l"(b[2]), "l"(b[3]), "l"(c[0]), "l"(c[1]), "l"(c[2]), "l"(c[3])));

}  // namespace mma
