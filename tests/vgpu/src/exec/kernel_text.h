// SPDX-License-Identifier: Apache-2.0
//
// Kernels of a few instructions, which the tests of the executor decode and run without the CUDA runtime.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>

#include "exec/launch.h"

namespace vgpu {

// Returns the PTX of a kernel with the given body. %l1 is the address of 64 words of global memory to which the threads
// write their results, and %l2 that of the thread's own word. %l3 is the address of 64 words that hold 1000, 1001, ...;
// %r1 is the thread's number, and `shared` has 1 KB. The value of %r0 at the end of the body is the thread's result.
inline std::string kernel_text(const std::string& body) {
  return ".version 9.0\n.target sm_100a\n.address_size 64\n"
         ".visible .entry k(.param .u64 out, .param .u64 in)\n{\n"
         ".reg .pred %p<4>; .reg .b16 %h<8>; .reg .b32 %r<32>; .reg .b64 %l<8>; .reg .b128 %q<2>;\n"
         ".shared .align 16 .b8 shared[1024];\n"
         "ld.param.u64 %l1, [out]; ld.param.u64 %l3, [in];\n"
         "mov.u32 %r1, %tid.x; mul.wide.u32 %l2, %r1, 4; add.u64 %l2, %l1, %l2; mov.u32 %r0, 0;\n" +
         body + "\nst.global.u32 [%l2], %r0;\nret;\n}\n";
}

constexpr std::size_t kWords = 64;
using Words = std::array<std::uint32_t, kWords>;

struct Outcome {
  LaunchResult result;
  Words words{};
};

inline Outcome run_kernel(const std::string& body, std::uint32_t threads, const Options& options = {}) {
  Heap heap;
  const DeviceLimits limits;
  const LoadedModule module(kernel_text(body), heap, 0, limits);
  const Allocation* out = heap.allocate(Allocation::Kind::kManaged, sizeof(Words), 0);
  const Allocation* in = heap.allocate(Allocation::Kind::kManaged, sizeof(Words), 0);
  std::memset(out->bytes, 0, sizeof(Words));
  for (std::uint32_t i = 0; i < kWords; ++i) {
    const std::uint32_t value = 1000 + i;
    std::memcpy(in->bytes + 4 * i, &value, sizeof value);
  }
  Launch launch;
  launch.module = &module;
  launch.kernel = "k";
  launch.block = {threads, 1, 1};
  launch.parameters.resize(16);
  std::memcpy(launch.parameters.data(), &out->address, 8);
  std::memcpy(launch.parameters.data() + 8, &in->address, 8);
  launch.heap = &heap;
  launch.limits = limits;
  launch.options = options;
  Outcome outcome{run(launch), {}};
  std::memcpy(outcome.words.data(), out->bytes, sizeof(Words));
  return outcome;
}

// Returns the words that the threads wrote, provided that there was no finding.
inline Words words_of(const std::string& body, std::uint32_t threads, const Options& options = {}) {
  const Outcome outcome = run_kernel(body, threads, options);
  EXPECT_FALSE(outcome.result.finding) << outcome.result.finding->text();
  return outcome.words;
}

}  // namespace vgpu
