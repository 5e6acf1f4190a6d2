// SPDX-License-Identifier: Apache-2.0
//
// Functions of a module are decoded on first use, together with the functions that they call.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "exec/launch.h"

namespace vgpu {
namespace {

class Functions : public ::testing::Test {
 protected:
  explicit Functions(const std::string& functions)
      : module_(".version 9.0\n.target sm_90\n.address_size 64\n" + functions, heap_, 0, limits_) {}

  // Runs a kernel with one parameter (.param .u64 out) in one thread. `word` is the value that it stores at `out`.
  LaunchResult run(const std::string& kernel) {
    const Allocation* out = heap_.allocate(Allocation::Kind::kManaged, sizeof word, 0);
    Launch launch;
    launch.module = &module_;
    launch.kernel = kernel;
    launch.parameters.resize(sizeof out->address);
    std::memcpy(launch.parameters.data(), &out->address, sizeof out->address);
    launch.heap = &heap_;
    launch.limits = limits_;
    LaunchResult result = vgpu::run(launch);
    std::memcpy(&word, out->bytes, sizeof word);
    heap_.release(out->address);
    return result;
  }

  std::uint32_t word = 0;

 private:
  Heap heap_;
  DeviceLimits limits_;
  LoadedModule module_;
};

// `second` is already decoded when decoding of `first`, which it calls, fails at an unknown instruction.
class NoMeaning : public Functions {
 protected:
  NoMeaning()
      : Functions(
            ".func first();\n"
            ".func second() { call.uni first; ret; }\n"
            ".func first() { call.uni second; fancy.u32 1; ret; }\n"
            ".visible .entry calls_first(.param .u64 out) { call.uni first; ret; }\n"
            ".visible .entry calls_second(.param .u64 out) { call.uni second; ret; }\n") {}
};

TEST_F(NoMeaning, EveryCallerIsRefused) {
  for (const char* kernel : {"calls_first", "calls_second", "calls_second", "calls_first"}) {
    const LaunchResult result = run(kernel);
    ASSERT_TRUE(result.finding) << kernel;
    EXPECT_NE(result.finding->what.find("fancy.u32 1"), std::string::npos) << result.finding->what;
  }
}

// A device function may read the parameters of the kernel, and its own parameters are stored separately.
class KernelParameters : public Functions {
 protected:
  KernelParameters()
      : Functions(
            ".func (.param .b64 result) first_of(.param .b64 place) {\n"
            "  .reg .b64 %l<3>;\n"
            "  ld.param::func.b64 %l1, [place]; ld.param::entry.b64 %l2, [%l1];\n"
            "  st.param.b64 [result], %l2; ret;\n}\n"
            ".visible .entry k(.param .u64 out) {\n"
            "  .reg .b64 %l<4>; .reg .b32 %r1;\n"
            "  mov.b64 %l1, out;\n"
            "  { .param .b64 place; st.param.b64 [place], %l1; .param .b64 result;\n"
            "    call.uni (result), first_of, (place); ld.param.b64 %l2, [result]; }\n"
            "  mov.u32 %r1, 77; st.global.u32 [%l2], %r1; ret;\n}\n") {}
};

TEST_F(KernelParameters, AreReadFromAFunction) {
  const LaunchResult result = run("k");
  ASSERT_FALSE(result.finding) << result.finding->text();
  EXPECT_EQ(word, 77u);
}

}  // namespace
}  // namespace vgpu
