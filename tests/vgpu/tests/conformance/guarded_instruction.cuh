// SPDX-License-Identifier: Apache-2.0
//
// Executes one PTX instruction in some lanes of a warp, on all combinations of lists of operands.
#pragma once

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "device_array.h"

namespace conformance {

using U16 = std::uint16_t;
using U32 = std::uint32_t;
using U64 = std::uint64_t;
using S16 = std::int16_t;
using S32 = std::int32_t;
using S64 = std::int64_t;

// Defines a type called Name for the instruction `text`, in which %0 is the result and %2 onwards are the operands. The
// instruction is executed under a guard predicate. The letters are asm constraints: h, r and l for 16, 32 and 64 bits.
#define PTX_1(Name, text, R, r, A, a)                                                                     \
  struct Name {                                                                                           \
    using Result = R;                                                                                     \
    static constexpr const char* kText = text;                                                            \
    static __device__ void run(R& out, U32 on, A x) {                                                     \
      asm volatile("{.reg .pred on; setp.ne.u32 on, %1, 0; @on " text ";}" : "+" r(out) : "r"(on), a(x)); \
    }                                                                                                     \
  }
#define PTX_2(Name, text, R, r, A, a, B, b)                                                                     \
  struct Name {                                                                                                 \
    using Result = R;                                                                                           \
    static constexpr const char* kText = text;                                                                  \
    static __device__ void run(R& out, U32 on, A x, B y) {                                                      \
      asm volatile("{.reg .pred on; setp.ne.u32 on, %1, 0; @on " text ";}" : "+" r(out) : "r"(on), a(x), b(y)); \
    }                                                                                                           \
  }
#define PTX_3(Name, text, R, r, A, a, B, b, C, c)                                                                     \
  struct Name {                                                                                                       \
    using Result = R;                                                                                                 \
    static constexpr const char* kText = text;                                                                        \
    static __device__ void run(R& out, U32 on, A x, B y, C z) {                                                       \
      asm volatile("{.reg .pred on; setp.ne.u32 on, %1, 0; @on " text ";}" : "+" r(out) : "r"(on), a(x), b(y), c(z)); \
    }                                                                                                                 \
  }
#define PTX_4(Name, text, R, r, A, a, B, b, C, c, D, d)                    \
  struct Name {                                                            \
    using Result = R;                                                      \
    static constexpr const char* kText = text;                             \
    static __device__ void run(R& out, U32 on, A x, B y, C z, D w) {       \
      asm volatile("{.reg .pred on; setp.ne.u32 on, %1, 0; @on " text ";}" \
                   : "+" r(out)                                            \
                   : "r"(on), a(x), b(y), c(z), d(w));                     \
    }                                                                      \
  }

// Variant for instructions that need sm_90. On older devices the text is a trap, which the test must not execute.
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
#define SINCE_90(text) text
#else
#define SINCE_90(text) "trap"
#endif

template <class Instruction, class R, class... In>
__global__ void apply_guarded(R* results, unsigned count, U32 lanes, const In*... in) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  R result = results[i];
  Instruction::run(result, lanes >> (i % 32) & 1, in[i]...);
  results[i] = result;
}

// Returns the values of each type that are most likely to expose an error.
template <class T>
std::vector<T> edges() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> all = {
      0, 1, 2, 3, 7, T(-1), T(-2), T(-7), Limits::max(), Limits::min(), T(Limits::max() - 1), T(Limits::min() + 1)};
  std::mt19937_64 random(sizeof(T));
  for (int i = 0; i < 6; ++i) all.push_back(static_cast<T>(random()));
  if (sizeof(T) > 2)
    for (const T value : {T(0xffff), T(0x10000), T(0x8000), T(0x7fff8000), T(0xff00ff)}) all.push_back(value);
  if (sizeof(T) > 4)
    for (const U64 value : {0xffffffffull, 0x100000000ull, 0x80000000ull}) all.push_back(static_cast<T>(value));
  return all;
}

// Positions, widths and distances: values around the register sizes, and values of which only the low bits may count.
inline std::vector<U32> amounts() {
  return {0,  1,  2,  5,   15,  16,  17,  24,  31,      32,         33,        40,
          63, 64, 65, 127, 128, 255, 256, 257, 0x10005, 0x80000000, 0xffffffff};
}

// Compares row by row with `expected`, under a guard that is true for every lane and under one that excludes some
// lanes. Excluded lanes must keep the contents of the register.
template <class Instruction, class Expected, class... In>
void check_rows(std::size_t count, Expected expected, const std::vector<In>&... columns) {
  using R = typename Instruction::Result;
  const R untouched = static_cast<R>(0x5a5a5a5a5a5a5a5aull);
  const auto launch = [&](const DeviceArray<R>& out, U32 lanes, const DeviceArray<In>&... in) {
    const auto blocks = static_cast<unsigned>((count + 95) / 96);
    apply_guarded<Instruction>
        <<<blocks, 96>>>(out.get(), static_cast<unsigned>(count), lanes, static_cast<const In*>(in.get())...);
  };
  for (const U32 lanes : {0xffffffffu, 0xb7d5a96cu}) {
    const DeviceArray<R> out(count, untouched);
    launch(out, lanes, DeviceArray<In>(columns)...);
    const std::vector<R> results = out.read();
    int failures = 0;
    for (std::size_t i = 0; i < count && failures < 5; ++i) {
      const bool active = (lanes >> (i % 32) & 1) != 0;
      const R wanted = active ? static_cast<R>(expected(columns[i]...)) : untouched;
      if (results[i] == wanted) continue;
      ++failures;
      std::string operands;
      ((operands += " " + std::to_string(columns[i])), ...);
      ADD_FAILURE() << Instruction::kText << " of" << operands << ", lane " << i % 32 << ": expected "
                    << std::to_string(wanted) << ", got " << std::to_string(results[i]);
    }
  }
}

// Performs the same check on all combinations of the values.
template <class Instruction, class Expected, class... In>
void check_with(Expected expected, const std::vector<In>&... values) {
  std::size_t count = 1, stride = 1;
  ((count *= values.size()), ...);
  const auto spread = [&](const auto& list) {
    auto column = list;
    column.resize(count);
    for (std::size_t i = 0; i < count; ++i) column[i] = list[i / stride % list.size()];
    stride *= list.size();
    return column;
  };
  check_rows<Instruction>(count, expected, spread(values)...);
}

// Performs the same check on the extreme values of the operand types, which are the parameter types of `expected`.
template <class Instruction, class R, class... In>
void check(R (*expected)(In...)) {
  check_with<Instruction>(expected, edges<In>()...);
}

}  // namespace conformance
