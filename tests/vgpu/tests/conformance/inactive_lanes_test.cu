// SPDX-License-Identifier: Apache-2.0
//
// Floating-point instructions and conversions must not change the registers of inactive lanes.
#include <cstdint>

#include "elementwise.cuh"

namespace conformance::inactive_lanes_test {

using Bits = std::uint64_t;

// The kind of the destination register is an asm constraint letter.
// clang-format off
#define INSTRUCTIONS(X) \
  X("add.rn.f32 %0, %2, %2", f) X("fma.rz.ftz.f32 %0, %2, %2, %2", f) X("min.f32 %0, %2, 0f3F000000", f) \
  X("abs.f32 %0, %2", f) X("ex2.approx.f32 %0, %2", f) X("div.full.f32 %0, %2, 0f40400000", f) \
  X("div.rn.f32 %0, %2, 0f40400000", f) X("copysign.f32 %0, 0fBF800000, %2", f) X("fma.rn.f64 %0, %3, %3, %3", d) \
  X("rsqrt.approx.f64 %0, %3", d) X("add.f16 %0, %4, %4", h) X("ex2.approx.f16 %0, %4", h) \
  X("fma.rn.f16x2 %0, %5, %5, %5", r) X("tanh.approx.f16x2 %0, %5", r) X("cvt.rzi.s32.f32 %0, %2", r) \
  X("cvt.rn.f16.f32 %0, %2", h) X("cvt.u64.u32 %0, %5", l) X("cvt.f64.f32 %0, %2", d) \
  X("cvt.sat.u16.u32 %0, %5", h) X("cvt.pack.sat.u16.s32 %0, %5, %5", r)
// clang-format on

constexpr Bits kBefore = 0x123456789abcdef0;
constexpr int kLanesInThree = 3;  // one lane in three is active

__device__ Bits bits_of(Bits value) { return value; }
__device__ Bits bits_of(std::uint32_t value) { return value; }
__device__ Bits bits_of(std::uint16_t value) { return value; }
__device__ Bits bits_of(float value) { return __float_as_uint(value); }
__device__ Bits bits_of(double value) { return static_cast<Bits>(__double_as_longlong(value)); }

// Stores the contents of the register before and after the instruction. asm accepts only a string literal, so the
// instruction's text is a macro argument.
#define GUARDED(text, kind)                                                    \
  {                                                                            \
    auto value = before.kind;                                                  \
    results.put(bits_of(value));                                               \
    asm volatile("{.reg .pred on; setp.ne.u32 on, %1, 0; @on " text ";}"       \
                 : "+" #kind(value)                                            \
                 : "r"(on), "f"(2.5f), "d"(2.5), "h"(half), "r"(0x41004100u)); \
    results.put(bits_of(value));                                               \
  }
#define TEXT(text, kind) text,

__global__ void guarded(Bits* out, int count, const unsigned* active) {
  const int i = Results<Bits>::index();
  if (i >= count) return;
  Results<Bits> results(out, count);
  const struct {
    Bits l;
    std::uint32_t r;
    std::uint16_t h;
    float f;
    double d;
  } before = {kBefore, static_cast<std::uint32_t>(kBefore), static_cast<std::uint16_t>(kBefore), 0.125f, 0.125};
  const unsigned on = active[i];
  const std::uint16_t half = 0x4100;
  INSTRUCTIONS(GUARDED)
}

TEST(InactiveLanes, KeepTheirRegisters) {
  const std::vector<const char*> texts{INSTRUCTIONS(TEXT)};
  std::vector<unsigned> active(64);
  for (std::size_t i = 0; i < active.size(); ++i) active[i] = i % kLanesInThree == 0 ? 1 : 0;
  const std::vector<Bits> results = apply(guarded, 2 * texts.size(), active);
  for (std::size_t i = 0; i < texts.size(); ++i)
    for (std::size_t lane = 0; lane < active.size(); ++lane) {
      const Bits before = results[2 * i * active.size() + lane], after = results[(2 * i + 1) * active.size() + lane];
      EXPECT_EQ(before != after, active[lane] == 1) << texts[i] << ", lane " << lane;
    }
}

__global__ void guarded_question(unsigned* out, int count, const unsigned* active) {
  const int i = Results<unsigned>::index();
  if (i >= count) return;
  asm volatile(
      "{.reg .pred on, p; setp.ne.u32 on, %1, 0; setp.eq.u32 p, 0, 0; @on testp.infinite.f32 p, 0f3F800000;"
      "selp.u32 %0, 1, 0, p;}"
      : "=r"(out[i])
      : "r"(active[i]));
}

TEST(InactiveLanes, KeepTheirPredicates) {
  std::vector<unsigned> active(64);
  for (std::size_t i = 0; i < active.size(); ++i) active[i] = i % kLanesInThree == 0 ? 1 : 0;
  const std::vector<unsigned> results = apply(guarded_question, 1, active);
  for (std::size_t lane = 0; lane < active.size(); ++lane) EXPECT_EQ(results[lane], 1 - active[lane]) << lane;
}

}  // namespace conformance::inactive_lanes_test
