// SPDX-License-Identifier: Apache-2.0
//
// Fixtures that run kernels with a fault and their correct variants, and check what the device reports.
#pragma once

#include <cuda_runtime.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace faults {

class Faults : public testing::Test {
 protected:
  void SetUp() override {
    if (dlsym(RTLD_DEFAULT, "vgpu_is_virtual") == nullptr) GTEST_SKIP() << "a GPU does not find these faults";
  }
  // An error is sticky, so the device must be reset before the next test.
  void TearDown() override { cudaDeviceReset(); }

  // The memory is not initialised.
  template <class T>
  static T* allocated(std::size_t count) {
    T* data = nullptr;
    EXPECT_EQ(cudaMalloc(&data, count * sizeof(T)), cudaSuccess);
    return data;
  }
  template <class T>
  static T* zeros(std::size_t count) {
    T* data = allocated<T>(count);
    EXPECT_EQ(cudaMemset(data, 0, count * sizeof(T)), cudaSuccess);
    return data;
  }

  // Returns the device's architecture as a number, such as 75 for sm_75.
  static int architecture() {
    int major = 0, minor = 0;
    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0);
    cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, 0);
    return 10 * major + minor;
  }

  template <class Launch>
  static void expect_clean(Launch launch) {
    testing::internal::CaptureStderr();
    launch();
    const cudaError_t outcome = cudaDeviceSynchronize();
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(outcome, cudaSuccess) << said;
    EXPECT_EQ(said, "");
  }

  // Expects that the launch ends with the error and that the report contains each of the words.
  template <class Launch>
  static void expect_finding(cudaError_t error, const std::vector<std::string>& words, Launch launch) {
    testing::internal::CaptureStderr();
    launch();
    const cudaError_t outcome = cudaDeviceSynchronize();
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(outcome, error) << said;
    for (const std::string& word : words)
      EXPECT_NE(said.find(word), std::string::npos) << word << "\nis not in\n" << said;
  }
};

}  // namespace faults
