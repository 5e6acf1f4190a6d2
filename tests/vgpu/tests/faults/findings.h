// SPDX-License-Identifier: Apache-2.0
//
// Fixtures for kernels with a fault and correct variants of them: what the device reports.
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
  // A fault stays with the device until then.
  void TearDown() override { cudaDeviceReset(); }

  // Nothing has written it.
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

  // 75 for sm_75.
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

  // The device ends with the error, having said all of the words.
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
