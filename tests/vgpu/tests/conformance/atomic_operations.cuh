// SPDX-License-Identifier: Apache-2.0
//
// Defines the operations of atom and red as types, and a function that checks one operation on all pairs of given
// values.
#pragma once

#include <cstdint>
#include <type_traits>

#include "elementwise.cuh"

namespace atomics {

using U16 = unsigned short;
using U32 = unsigned int;
using U64 = unsigned long long;
using S32 = int;
using S64 = long long;

// Wraps a PTX operation in device functions. `constraint` is the asm constraint of its registers.
#define ATOMIC_OPERATION(Name, T, instruction, constraint)                                                          \
  struct Name {                                                                                                     \
    using Value = T;                                                                                                \
    static __device__ T in_global(T* at, T b) {                                                                     \
      T old;                                                                                                        \
      asm volatile("atom.global." instruction " %0, [%1], %2;"                                                      \
                   : "=" constraint(old)                                                                            \
                   : "l"(__cvta_generic_to_global(at)), constraint(b)                                               \
                   : "memory");                                                                                     \
      return old;                                                                                                   \
    }                                                                                                               \
    static __device__ T in_shared(T* at, T b) {                                                                     \
      T old;                                                                                                        \
      asm volatile("atom.shared." instruction " %0, [%1], %2;"                                                      \
                   : "=" constraint(old)                                                                            \
                   : "r"(static_cast<U32>(__cvta_generic_to_shared(at))), constraint(b)                             \
                   : "memory");                                                                                     \
      return old;                                                                                                   \
    }                                                                                                               \
    static __device__ T generic(T* at, T b) {                                                                       \
      T old;                                                                                                        \
      asm volatile("atom." instruction " %0, [%1], %2;" : "=" constraint(old) : "l"(at), constraint(b) : "memory"); \
      return old;                                                                                                   \
    }                                                                                                               \
  }

// clang-format off
#define REDUCTION(Name, T, instruction, constraint) \
  ATOMIC_OPERATION(Name##Atom, T, instruction, constraint); \
  struct Name : Name##Atom { \
  static __device__ void reduce(T* at, T b) { \
  asm volatile("red.global." instruction " [%0], %1;" ::"l"(__cvta_generic_to_global(at)), constraint(b) \
  : "memory"); \
  } \
  }
// clang-format on

REDUCTION(AddU32, U32, "add.u32", "r");
REDUCTION(AddS32, S32, "add.s32", "r");
REDUCTION(AddU64, U64, "add.u64", "l");
REDUCTION(MinU32, U32, "min.u32", "r");
REDUCTION(MinS32, S32, "min.s32", "r");
REDUCTION(MinU64, U64, "min.u64", "l");
REDUCTION(MinS64, S64, "min.s64", "l");
REDUCTION(MaxU32, U32, "max.u32", "r");
REDUCTION(MaxS32, S32, "max.s32", "r");
REDUCTION(MaxU64, U64, "max.u64", "l");
REDUCTION(MaxS64, S64, "max.s64", "l");
REDUCTION(IncU32, U32, "inc.u32", "r");
REDUCTION(DecU32, U32, "dec.u32", "r");
REDUCTION(AndB32, U32, "and.b32", "r");
REDUCTION(AndB64, U64, "and.b64", "l");
REDUCTION(OrB32, U32, "or.b32", "r");
REDUCTION(OrB64, U64, "or.b64", "l");
REDUCTION(XorB32, U32, "xor.b32", "r");
REDUCTION(XorB64, U64, "xor.b64", "l");
ATOMIC_OPERATION(ExchB32, U32, "exch.b32", "r");
ATOMIC_OPERATION(ExchB64, U64, "exch.b64", "l");
REDUCTION(AddF32, U32, "add.f32", "r");
REDUCTION(AddF64, U64, "add.f64", "l");
REDUCTION(AddF16, U16, "add.noftz.f16", "h");
REDUCTION(AddF16x2, U32, "add.noftz.f16x2", "r");
REDUCTION(AddBF16, U16, "add.noftz.bf16", "h");
REDUCTION(AddBF16x2, U32, "add.noftz.bf16x2", "r");

// Columns of a result row: the old values, then the new values of atom in three state spaces, then the new value of
// red.
enum Column { kOldGlobal, kOldShared, kOldGeneric, kNewGlobal, kNewShared, kNewGeneric, kReduced, kColumns };

template <class Operation, class = void>
struct Reducing {
  static constexpr bool kHas = false;
};
template <class Operation>
struct Reducing<Operation, std::void_t<decltype(&Operation::reduce)>> {
  static constexpr bool kHas = true;
};

// Each thread processes one pair of operands.
template <class Operation, class T = typename Operation::Value>
__device__ void apply_to(const T* olds, const T* operands, T* out, unsigned count) {
  __shared__ T shared[64];
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const T old = olds[i], b = operands[i];
  T* row = out + i * kColumns;
  shared[threadIdx.x] = row[kNewGlobal] = row[kNewGeneric] = row[kReduced] = old;
  row[kOldGlobal] = Operation::in_global(&row[kNewGlobal], b);
  row[kOldShared] = Operation::in_shared(&shared[threadIdx.x], b);
  row[kOldGeneric] = Operation::generic(&row[kNewGeneric], b);
  row[kNewShared] = shared[threadIdx.x];
  if constexpr (Reducing<Operation>::kHas) Operation::reduce(&row[kReduced], b);
}

template <class Operation, class T>
__global__ void apply(const T* olds, const T* operands, T* out, unsigned count) {
  apply_to<Operation>(olds, operands, out, count);
}

// Variant for instructions that need sm_90.
template <class Operation, class T>
__global__ void apply_90(const T* olds, const T* operands, T* out, unsigned count) {
#if __CUDA_ARCH__ >= 900
  apply_to<Operation>(olds, operands, out, count);
#endif
}

// Checks all pairs of values. `expected` computes the new value, and `shared` the new value in shared memory where that
// differs.
template <class Operation, class T, class Expected, class Shared, class Same>
void check_all(void (*kernel)(const T*, const T*, T*, unsigned), const std::vector<T>& values, Expected expected,
               Shared in_shared, Same same) {
  std::vector<T> olds, operands;
  for (const T old : values)
    for (const T b : values) {
      olds.push_back(old);
      operands.push_back(b);
    }
  conformance::DeviceArray<T> device_olds(olds), device_operands(operands), out(olds.size() * kColumns);
  const auto count = static_cast<unsigned>(olds.size());
  kernel<<<(count + 63) / 64, 64>>>(device_olds.get(), device_operands.get(), out.get(), count);
  const auto results = out.read();
  for (std::size_t i = 0; i < olds.size(); ++i) {
    SCOPED_TRACE(testing::Message() << std::hex << "old " << olds[i] << ", operand " << operands[i]);
    const T* row = &results[i * kColumns];
    for (const Column column : {kOldGlobal, kOldShared, kOldGeneric}) EXPECT_EQ(row[column], olds[i]) << column;
    const T wanted = expected(olds[i], operands[i]);
    for (const Column column : {kNewGlobal, kNewGeneric})
      EXPECT_TRUE(same(row[column], wanted)) << column << ": " << std::hex << row[column] << ", expected " << wanted;
    EXPECT_TRUE(same(row[kNewShared], in_shared(olds[i], operands[i]))) << std::hex << row[kNewShared];
    if (Reducing<Operation>::kHas) EXPECT_TRUE(same(row[kReduced], wanted)) << std::hex << row[kReduced];
  }
}

}  // namespace atomics
