// SPDX-License-Identifier: Apache-2.0
//
// Tests errors at the launch, errors after it, and sticky errors.
#include <cassert>
#include <chrono>
#include <future>
#include <string>

#include "support.h"

namespace programs::errors_test {

__global__ void trap_now() { asm volatile("trap;"); }

__global__ void __launch_bounds__(64) bounded(int* values) { values[threadIdx.x] = 1; }

__global__ void dynamic_shared(int* values) {
  extern __shared__ int shared[];
  shared[threadIdx.x] = static_cast<int>(threadIdx.x);
  __syncthreads();
  values[threadIdx.x] = shared[blockDim.x - 1 - threadIdx.x];
}

class LaunchErrors : public testing::Test {
 protected:
  // Launch configuration errors are not sticky: the next launch works.
  ~LaunchErrors() override {
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
    launch_fill(device_, 1);
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
    EXPECT_EQ(device_.values(), all(1));
  }
  const DeviceInts device_;
};

TEST_F(LaunchErrors, ShapesBeyondTheLimits) {
  for (const auto& [grid, block] : {std::pair<dim3, dim3>{1, 1025}, {1, 0}, {0, 1}, {1, {1, 1, 65}}, {{1, 65536}, 1}}) {
    fill<<<grid, block>>>(device_, 1, kCount);
    EXPECT_EQ(cudaPeekAtLastError(), cudaErrorInvalidConfiguration);
    EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidConfiguration);
  }
}

TEST_F(LaunchErrors, DynamicSharedMemoryBeyond48KiBIsAskedFor) {
  constexpr int kLarge = 60 * 1024;
  dynamic_shared<<<1, 32, kLarge>>>(device_);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFuncSetAttribute(dynamic_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, kLarge), cudaSuccess);
  dynamic_shared<<<1, 32, kLarge>>>(device_);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  int optin = 0;
  EXPECT_EQ(cudaDeviceGetAttribute(&optin, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0), cudaSuccess);
  EXPECT_EQ(cudaFuncSetAttribute(dynamic_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, optin + 1),
            cudaErrorInvalidValue);
  cudaGetLastError();
  cudaFuncAttributes attributes{};
  EXPECT_EQ(cudaFuncGetAttributes(&attributes, dynamic_shared), cudaSuccess);
  EXPECT_EQ(attributes.maxDynamicSharedSizeBytes, kLarge);
}

TEST_F(LaunchErrors, MoreThreadsThanTheKernelIsBuiltFor) {
  cudaFuncAttributes attributes{};
  EXPECT_EQ(cudaFuncGetAttributes(&attributes, bounded), cudaSuccess);
  EXPECT_EQ(attributes.maxThreadsPerBlock, 64);
  bounded<<<1, 65>>>(device_);
  EXPECT_NE(cudaGetLastError(), cudaSuccess);
}

TEST_F(LaunchErrors, WhatIsNoKernel) {
  static int no_kernel = 0;
  EXPECT_EQ(cudaLaunchKernel(&no_kernel, dim3(1), dim3(1), nullptr, 0, nullptr), cudaErrorInvalidDeviceFunction);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDeviceFunction);
}

TEST_F(LaunchErrors, TheLastErrorIsOfTheThread) {
  EXPECT_EQ(cudaSetDevice(1000), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaPeekAtLastError(), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST_F(LaunchErrors, CodesHaveNamesAndWords) {
  EXPECT_STREQ(cudaGetErrorName(cudaErrorIllegalAddress), "cudaErrorIllegalAddress");
  EXPECT_STREQ(cudaGetErrorString(cudaErrorIllegalAddress), "an illegal memory access was encountered");
  EXPECT_STREQ(cudaGetErrorString(cudaSuccess), "no error");
  EXPECT_STREQ(cudaGetErrorName(cudaErrorTimeout), "cudaErrorTimeout");  // no call here returns this error
  EXPECT_STREQ(cudaGetErrorName(static_cast<cudaError_t>(12345)), "unrecognized error code");
}

// An error in a kernel makes the device unusable until it is reset.
class Faults : public testing::Test {
 protected:
  ~Faults() override { EXPECT_EQ(cudaDeviceReset(), cudaSuccess); }

  static void expect_stuck(cudaError_t error) {
    EXPECT_EQ(cudaDeviceSynchronize(), error);
    void* pointer = nullptr;
    EXPECT_EQ(cudaMalloc(&pointer, 4), error);
    EXPECT_EQ(cudaGetLastError(), error);
    EXPECT_EQ(cudaStreamSynchronize(nullptr), error);
    EXPECT_EQ(cudaGetLastError(), error);
  }
};

TEST_F(Faults, AnIllegalAddressSticks) {
  int* values = nullptr;
  ASSERT_EQ(cudaMalloc(&values, 4), cudaSuccess);
  launch_fill(is_virtual() ? values : nullptr, 1);  // 999 values out of bounds; a GPU needs an unmapped page
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);       // the error is asynchronous and not known yet
  expect_stuck(cudaErrorIllegalAddress);
}

TEST_F(Faults, ATrapSticks) {
  trap_now<<<1, 1>>>();
  expect_stuck(cudaErrorLaunchFailure);
}

__global__ void tell_and_trap() {
  printf("so far");
  __trap();
}

TEST_F(Faults, WhatWasPrintedBeforeAFaultIsNotLost) {
  testing::internal::CaptureStdout();
  tell_and_trap<<<1, 1>>>();
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "so far");
}

__global__ void tell() { printf("told"); }

TEST_F(Faults, AResetWaitsForWhatIsUnderWay) {
  testing::internal::CaptureStdout();
  tell<<<1, 1>>>();
  EXPECT_EQ(cudaDeviceReset(), cudaSuccess);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "told");
}

TEST_F(Faults, AResetGivesAWorkingDevice) {
  trap_now<<<1, 1>>>();
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  ASSERT_EQ(cudaDeviceReset(), cudaSuccess);
  cudaGetLastError();
  const DeviceInts device;
  launch_fill(device, 2);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  EXPECT_EQ(device.values(), all(2));
}

TEST_F(Faults, CallbacksAreToldOfAFaultAndHostFunctionsDoNotRun) {
  std::promise<cudaError_t> told;
  bool ran = false;
  trap_now<<<1, 1>>>();
  EXPECT_EQ(cudaLaunchHostFunc(
                nullptr, [](void* argument) { *static_cast<bool*>(argument) = true; }, &ran),
            cudaSuccess);
  const auto tell_error = [](cudaStream_t, cudaError_t error, void* argument) {
    static_cast<std::promise<cudaError_t>*>(argument)->set_value(error);
  };
  EXPECT_EQ(cudaStreamAddCallback(nullptr, tell_error, &told, 0), cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  std::future<cudaError_t> error = told.get_future();
  ASSERT_EQ(error.wait_for(std::chrono::seconds(60)), std::future_status::ready);
  EXPECT_EQ(error.get(), cudaErrorLaunchFailure);
  EXPECT_FALSE(ran);
}

TEST_F(Faults, WorkBehindAFaultDoesNotRun) {
  const PinnedInts host;
  int* values = nullptr;
  ASSERT_EQ(cudaMalloc(&values, kBytes), cudaSuccess);
  trap_now<<<1, 1>>>();
  launch_fill(values, 2);
  cudaMemcpyAsync(host, values, kBytes, cudaMemcpyDeviceToHost, nullptr);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  EXPECT_EQ(host.values(), all(-1));
}

}  // namespace programs::errors_test
