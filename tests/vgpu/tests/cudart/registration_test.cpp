// SPDX-License-Identifier: Apache-2.0
//
// Tests the registration of valid and invalid device code.
#include "cudart/registration.h"

#include <gtest/gtest.h>

#include <string>

#include "cudart/fatbin_builder.h"

namespace vgpu::cudart {
namespace {

// Returns a kernel that stores its second argument at the address in its first argument.
std::string store_kernel(const std::string& target) {
  return ".version 8.0\n.target " + target +
         "\n.address_size 64\n"
         ".visible .entry fill(.param .u64 fill_param_0, .param .u32 fill_param_1, .param .u32 fill_param_2)\n{\n"
         "  .reg .b32 %r<2>;\n  .reg .b64 %rd<3>;\n"
         "  ld.param.u64 %rd1, [fill_param_0];\n  ld.param.u32 %r1, [fill_param_1];\n"
         "  cvta.to.global.u64 %rd2, %rd1;\n  st.global.u32 [%rd2], %r1;\n  ret;\n}\n";
}

class RegistrationTest : public testing::Test {
 protected:
  ~RegistrationTest() override {
    if (handle_ != nullptr) __cudaUnregisterFatBinary(handle_);
    cudaGetLastError();
  }

  void register_code(const char* kernel = "fill") {
    handle_ = __cudaRegisterFatBinary(const_cast<void*>(binary_.wrapper()));
    char name[8] = {};
    __cudaRegisterFunction(handle_, &stub_, name, kernel, -1, nullptr, nullptr, nullptr, nullptr, nullptr);
    __cudaRegisterFatBinaryEnd(handle_);
  }

  cudaError_t launch(int* target, int value) {
    int count = 1;
    void* arguments[] = {&target, &value, &count};
    cudaKernel_t kernel = nullptr;
    const cudaError_t error = __cudaGetKernel(&kernel, &stub_);
    return error != cudaSuccess ? error : __cudaLaunchKernel(kernel, dim3(1), dim3(1), arguments, 0, nullptr);
  }

  FatBinary binary_;
  void** handle_ = nullptr;
  char stub_ = 0;  // its address represents the host function
};

TEST_F(RegistrationTest, ARegisteredKernelRuns) {
  binary_.add(kPtx, 75, store_kernel("sm_75"));
  register_code();
  int* device = nullptr;
  ASSERT_EQ(cudaMalloc(reinterpret_cast<void**>(&device), sizeof(int)), cudaSuccess);
  EXPECT_EQ(launch(device, 42), cudaSuccess);
  int value = 0;
  EXPECT_EQ(cudaMemcpy(&value, device, sizeof value, cudaMemcpyDeviceToHost), cudaSuccess);
  EXPECT_EQ(value, 42);
  EXPECT_EQ(cudaFree(device), cudaSuccess);
}

TEST_F(RegistrationTest, CodeForNewerDevicesAloneIsRefusedAtTheLaunch) {
  binary_.add(kPtx, 120, store_kernel("sm_120"));
  register_code();
  EXPECT_EQ(launch(nullptr, 0), cudaErrorNoKernelImageForDevice);
}

TEST_F(RegistrationTest, MachineCodeIsNoHelp) {
  binary_.add(kElf, 90,
              "\x7f"
              "ELF");
  register_code();
  EXPECT_EQ(launch(nullptr, 0), cudaErrorNoKernelImageForDevice);
}

TEST_F(RegistrationTest, CompressedCodeIsRefusedByName) {
  binary_.add(kPtx, 75, "squeezed", 0x8011, 8);
  register_code();
  testing::internal::CaptureStderr();
  EXPECT_EQ(launch(nullptr, 0), cudaErrorInvalidKernelImage);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("--no-compress"), std::string::npos);
}

TEST_F(RegistrationTest, BadPtxShowsAtTheLaunch) {
  binary_.add(kPtx, 75, "this is no PTX");
  register_code();
  testing::internal::CaptureStderr();
  EXPECT_EQ(launch(nullptr, 0), cudaErrorInvalidPtx);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("PTX line 1"), std::string::npos);
}

TEST_F(RegistrationTest, AKernelThatTheCodeDoesNotHaveIsInvalid) {
  binary_.add(kPtx, 75, store_kernel("sm_75"));
  register_code("other");
  EXPECT_EQ(launch(nullptr, 0), cudaErrorInvalidDeviceFunction);
}

TEST_F(RegistrationTest, UnregisteredKernelsAreGone) {
  binary_.add(kPtx, 75, store_kernel("sm_75"));
  register_code();
  __cudaUnregisterFatBinary(handle_);
  handle_ = nullptr;
  EXPECT_EQ(launch(nullptr, 0), cudaErrorInvalidDeviceFunction);
}

TEST_F(RegistrationTest, LaunchConfigurationsNest) {
  dim3 grid, block;
  std::size_t shared = 0;
  cudaStream_t stream = nullptr;
  EXPECT_EQ(__cudaPopCallConfiguration(&grid, &block, &shared, &stream), cudaErrorMissingConfiguration);
  EXPECT_EQ(__cudaPushCallConfiguration(dim3(1), dim3(2), 3, cudaStreamPerThread), 0u);
  EXPECT_EQ(__cudaPushCallConfiguration(dim3(4), dim3(5), 6, nullptr), 0u);
  EXPECT_EQ(__cudaPopCallConfiguration(&grid, &block, &shared, &stream), cudaSuccess);
  EXPECT_EQ(grid.x, 4u);
  EXPECT_EQ(stream, nullptr);
  EXPECT_EQ(__cudaPopCallConfiguration(&grid, &block, &shared, &stream), cudaSuccess);
  EXPECT_EQ(block.x, 2u);
  EXPECT_EQ(shared, 3u);
  EXPECT_EQ(stream, cudaStreamPerThread);
}

TEST_F(RegistrationTest, LaunchConfigurationsNestOnlySoDeep) {
  int pushed = 0;
  while (pushed < 1000 && __cudaPushCallConfiguration(dim3(1), dim3(1), 0, nullptr) == 0) ++pushed;
  EXPECT_LT(pushed, 1000);
  EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchOutOfResources);
  dim3 grid, block;
  std::size_t shared = 0;
  cudaStream_t stream = nullptr;
  while (__cudaPopCallConfiguration(&grid, &block, &shared, &stream) == cudaSuccess) --pushed;
  EXPECT_EQ(pushed, 0);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMissingConfiguration);
}

}  // namespace
}  // namespace vgpu::cudart
