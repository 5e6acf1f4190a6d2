// SPDX-License-Identifier: Apache-2.0
//
// Tests floating-point instructions in the executor: which ones are refused, which pipe they are counted for, and that
// perturbed results depend only on the seed and the operands.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "exec/launch.h"

namespace vgpu {
namespace {

constexpr std::uint32_t kThreads = 64;

std::string kernel_of(const std::string& body) {
  return ".version 9.0\n.target sm_100\n.address_size 64\n.visible .entry k(.param .u64 out)\n{\n"
         ".reg .pred %p<3>; .reg .b16 %h<6>; .reg .b32 %r<6>; .reg .f32 %f<6>; .reg .b64 %l<6>; .reg .f64 %d<6>;\n" +
         body + "\nret;\n}\n";
}

// Decodes a single instruction.
void decode(const std::string& instruction) {
  Heap heap;
  LoadedModule(kernel_of(instruction), heap, 0, {}).info("k");
}

struct Run {
  std::vector<float> results;
  Counters counters;
};

// Thread i computes %f2 from %f1 = 1.25 + i / 8 and stores it.
Run run_with(const std::string& body, const Options& options) {
  Heap heap;
  const DeviceLimits limits;
  const LoadedModule module(
      kernel_of(
          "mov.u32 %r1, %tid.x; cvt.rn.f32.u32 %f1, %r1; fma.rn.f32 %f1, %f1, 0f3E000000, 0f3FA00000;\n" + body +
          "\nld.param.u64 %l1, [out]; mul.wide.u32 %l2, %r1, 4; add.u64 %l1, %l1, %l2; st.global.f32 [%l1], %f2;"),
      heap, 0, limits);
  const Allocation* out = heap.allocate(Allocation::Kind::kDevice, kThreads * sizeof(float), 0);
  Launch launch;
  launch.module = &module;
  launch.kernel = "k";
  launch.block = {kThreads, 1, 1};
  launch.parameters.resize(sizeof out->address);
  std::memcpy(launch.parameters.data(), &out->address, sizeof out->address);
  launch.heap = &heap;
  launch.limits = limits;
  launch.options = options;
  const LaunchResult result = run(launch);
  EXPECT_FALSE(result.finding) << result.finding->text();
  Run finished{std::vector<float>(kThreads), result.counters};
  std::memcpy(finished.results.data(), out->bytes, kThreads * sizeof(float));
  return finished;
}

TEST(Floats, WhatHasNoMeaningIsRefusedByName) {
  for (const char* instruction : {"add.ru.f32 %f1, %f2, %f3;",
                                  "add.rn.sat.f64 %d1, %d2, %d3;",
                                  "add.ftz.f64 %d1, %d2, %d3;",
                                  "fma.f32 %f1, %f2, %f3, %f4;",
                                  "fma.rn.relu.f32 %f1, %f2, %f3, %f4;",
                                  "mul.rn.sat.f32x2 %l1, %l2, %l3;",
                                  "add.rn.f32 %f1, %f2;",
                                  "add.rn.f32 %f1, %f2, %f3, %f4;",
                                  "div.f32 %f1, %f2, %f3;",
                                  "rcp.f32 %f1, %f2;",
                                  "rcp.approx.f64 %d1, %d2;",
                                  "sqrt.approx.f64 %d1, %d2;",
                                  "tanh.approx.ftz.f32 %f1, %f2;",
                                  "ex2.approx.bf16 %h1, %h2;",
                                  "ex2.approx.ftz.f16 %h1, %h2;",
                                  "ex2.approx.f64 %d1, %d2;",
                                  "sin.f32 %f1, %f2;",
                                  "min.xorsign.f32 %f1, %f2, %f3;",
                                  "min.NaN.f64 %d1, %d2, %d3;",
                                  "max.f16 %h1, %h2, %h3, %h4;",
                                  "abs.ftz.bf16 %h1, %h2;",
                                  "fma.rn.sat.bf16 %h1, %h2, %h3, %h4;",
                                  "fma.rn.oob.f16 %h1, %h2, %h3, %h4;",
                                  "fma.rn.sat.relu.f16 %h1, %h2, %h3, %h4;",
                                  "add.rz.f16 %h1, %h2, %h3;",
                                  "mul.f32.f16 %f1, %h2, %f3;",
                                  "testp.zero.f32 %p1, %f1;",
                                  "testp.finite.f16 %p1, %h1;",
                                  "copysign.f16 %h1, %h2, %h3;",
                                  "add.f32 %f1, %d2, %f3;",
                                  "cvt.f32.s32 %f1, %r2;",
                                  "cvt.s32.f32 %r1, %f2;",
                                  "cvt.rn.s32.f32 %r1, %f2;",
                                  "cvt.rni.f32.s32 %f1, %r2;",
                                  "cvt.rn.f64.f32 %d1, %f2;",
                                  "cvt.f32.f64 %f1, %d2;",
                                  "cvt.rni.f32.f64 %f1, %d2;",
                                  "cvt.rn.u32.u64 %r1, %l2;",
                                  "cvt.ftz.u32.u64 %r1, %l2;",
                                  "cvt.rn.relu.f32.f64 %f1, %d2;",
                                  "cvt.rn.sat.bf16.f32 %h1, %f2;",
                                  "cvt.rna.f16.f32 %h1, %f2;",
                                  "cvt.rm.f16x2.f32 %r1, %f2, %f3;",
                                  "cvt.rn.e4m3x2.f32 %h1, %f2, %f3;",
                                  "cvt.rz.satfinite.e5m2x2.f32 %h1, %f2, %f3;",
                                  "cvt.rn.f16x2.f32 %r1, %f2;",
                                  "cvt.rn.satfinite.e2m1x2.f32 %h1, %f2, %f3;",
                                  "cvt.u32.b32 %r1, %r2;",
                                  "cvt.s32.s16 %r1, %h1, %h2;",
                                  "cvt.pack.u8.s32.b32 %r1, %r2, %r3, %r4;",
                                  "cvt.pack.sat.u16.s32.b32 %r1, %r2, %r3, %r4;"}) {
    try {
      decode(instruction);
      ADD_FAILURE() << instruction;
    } catch (const ptx::Error& error) {
      const std::string text = std::string(instruction).substr(0, std::strlen(instruction) - 1);
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
    }
  }
}

TEST(Floats, PipesAreThoseOfTheHardware) {
  struct Case {
    const char* instruction;
    Pipe pipe;
  };
  const auto count = [](const std::string& body, Pipe pipe) {
    return run_with("mov.f32 %f2, %f1; mov.u32 %r2, 0; mov.f64 %d1, 0d3FF0000000000000; mov.b16 %h1, 15360;" + body, {})
        .counters.warp_instructions[static_cast<std::size_t>(pipe)];
  };
  for (const Case& test :
       {Case{"add.f32 %f2, %f1, %f1;", Pipe::kFma}, Case{"fma.rn.f32 %f2, %f1, %f1, %f1;", Pipe::kFma},
        Case{"mul.f16x2 %r2, %r2, %r2;", Pipe::kFma}, Case{"min.f32 %f2, %f1, %f1;", Pipe::kAlu},
        Case{"neg.f32 %f2, %f1;", Pipe::kAlu}, Case{"ex2.approx.f32 %f2, %f1;", Pipe::kSpecial},
        Case{"rcp.approx.ftz.f32 %f2, %f1;", Pipe::kSpecial}, Case{"tanh.approx.f16 %h1, %h1;", Pipe::kSpecial},
        Case{"fma.rn.f64 %d1, %d1, %d1, %d1;", Pipe::kFp64}, Case{"max.f64 %d1, %d1, %d1;", Pipe::kFp64},
        Case{"cvt.rn.f16.f32 %h1, %f1;", Pipe::kAlu}, Case{"cvt.f32.f16 %f2, %h1;", Pipe::kAlu},
        Case{"cvt.u16.u32 %h1, %r2;", Pipe::kAlu}, Case{"cvt.rn.bf16x2.f32 %r2, %f1, %f1;", Pipe::kAlu},
        Case{"cvt.rzi.s32.f32 %r2, %f1;", Pipe::kSpecial}, Case{"cvt.rn.f32.s32 %f2, %r2;", Pipe::kSpecial},
        Case{"cvt.f64.f32 %d1, %f1;", Pipe::kSpecial}, Case{"cvt.rni.f32.f32 %f2, %f1;", Pipe::kSpecial}})
    EXPECT_EQ(count(test.instruction, test.pipe), count("", test.pipe) + kThreads / 32) << test.instruction;
}

std::size_t differences(const std::vector<float>& a, const std::vector<float>& b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += a[i] != b[i] ? 1 : 0;
  return count;
}

TEST(Floats, PerturbedResultsFollowFromSeedAndOperands) {
  for (const char* instruction :
       {"rcp.approx.ftz.f32 %f2, %f1;", "rsqrt.approx.f32 %f2, %f1;", "ex2.approx.f32 %f2, %f1;",
        "lg2.approx.f32 %f2, %f1;", "sin.approx.f32 %f2, %f1;", "cos.approx.f32 %f2, %f1;", "tanh.approx.f32 %f2, %f1;",
        "sqrt.approx.f32 %f2, %f1;", "div.full.f32 %f2, %f1, 0f40400000;", "div.approx.f32 %f2, 0f40400000, %f1;"}) {
    Options best, pushed, otherwise, shuffled;
    pushed.perturb = shuffled.perturb = 1;
    otherwise.perturb = 2;
    shuffled.seed = 5;
    const std::vector<float> exact = run_with(instruction, best).results, off = run_with(instruction, pushed).results;
    EXPECT_GT(differences(off, exact), kThreads / 5) << instruction;
    EXPECT_GT(differences(off, run_with(instruction, otherwise).results), kThreads / 5) << instruction;
    EXPECT_EQ(off, run_with(instruction, shuffled).results) << instruction;
  }
}

TEST(Floats, PerturbationLeavesExactInstructionsAlone) {
  for (const char* instruction : {"div.rn.f32 %f2, %f1, 0f40400000;", "sqrt.rn.f32 %f2, %f1;", "rcp.rn.f32 %f2, %f1;",
                                  "fma.rn.f32 %f2, %f1, %f1, %f1;"}) {
    Options pushed;
    pushed.perturb = 1;
    EXPECT_EQ(run_with(instruction, {}).results, run_with(instruction, pushed).results) << instruction;
  }
}

}  // namespace
}  // namespace vgpu
