// SPDX-License-Identifier: Apache-2.0
//
// Tests calls that are made to fail.
#include "cudart/find_vgpu.h"
#include "graphs.h"

namespace programs::failing_calls_test {

class FailingCalls : public Graphs {
 protected:
  void SetUp() override {
    if (!is_virtual()) GTEST_SKIP() << "a GPU does not let calls fail";
    fail_call_ = find_vgpu<decltype(vgpu_fail_call)>("vgpu_fail_call");
    calls_ = find_vgpu<decltype(vgpu_calls)>("vgpu_calls");
    fails_now_ = find_vgpu<decltype(vgpu_fails_now)>("vgpu_fails_now");
  }

  // Expects that the call is counted, fails with the error on request, and succeeds the next time.
  template <class Call>
  void expect_to_fail(cudaError_t error, Call call) {
    const unsigned long long before = calls_();
    fail_call_(1);
    EXPECT_EQ(call(), error);
    EXPECT_EQ(cudaGetLastError(), error);
    EXPECT_EQ(calls_() - before, 1u);
    EXPECT_EQ(call(), cudaSuccess);
    EXPECT_EQ(calls_() - before, 2u);
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  }

  decltype(&vgpu_fail_call) fail_call_ = nullptr;
  decltype(&vgpu_calls) calls_ = nullptr;
  decltype(&vgpu_fails_now) fails_now_ = nullptr;
};

TEST_F(FailingCalls, TheOneThatIsAskedForAndNoOther) {
  const auto fill = [&] { return cudaMemsetAsync(device_, 0, kBytes, stream_); };
  fail_call_(3);
  for (const cudaError_t expected : {cudaSuccess, cudaSuccess, cudaErrorUnknown, cudaSuccess})
    EXPECT_EQ(fill(), expected);
  fail_call_(2);
  EXPECT_EQ(fill(), cudaSuccess);
  fail_call_(0);
  EXPECT_EQ(fill(), cudaSuccess);
  EXPECT_EQ(fill(), cudaSuccess);
}

TEST_F(FailingCalls, AllocationsSayThatThereIsNoMemory) {
  void* memory = nullptr;
  expect_to_fail(cudaErrorMemoryAllocation, [&] { return cudaMalloc(&memory, kBytes); });
  EXPECT_EQ(cudaFree(memory), cudaSuccess);
  expect_to_fail(cudaErrorMemoryAllocation, [&] { return cudaMallocHost(&memory, kBytes); });
  EXPECT_EQ(cudaFreeHost(memory), cudaSuccess);
  expect_to_fail(cudaErrorMemoryAllocation, [&] { return cudaMallocAsync(&memory, kBytes, stream_); });
  EXPECT_EQ(cudaFreeAsync(memory, stream_), cudaSuccess);
}

TEST_F(FailingCalls, AFailedCallHasNoEffect) {
  launch_fill(device_, 1);
  fail_call_(1);
  launch_fill(device_, 2);
  EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure);
  EXPECT_EQ(device_.values(), all(1));
  fail_call_(1);
  EXPECT_EQ(cudaMemset(device_, 0, kBytes), cudaErrorUnknown);
  EXPECT_EQ(device_.values(), all(1));
}

TEST_F(FailingCalls, LaunchesOfEveryKind) {
  int value = 1, count = kCount;
  int* values = device_;
  void* arguments[] = {&values, &value, &count};
  const auto* kernel = reinterpret_cast<const void*>(fill);
  expect_to_fail(cudaErrorLaunchFailure, [&] { return cudaLaunchKernel(kernel, 4, 256, arguments, 0, stream_); });
  expect_to_fail(cudaErrorLaunchFailure,
                 [&] { return cudaLaunchCooperativeKernel(kernel, 4, 256, arguments, 0, stream_); });
  cudaLaunchConfig_t config{};
  config.gridDim = 4, config.blockDim = 256, config.stream = stream_;
  expect_to_fail(cudaErrorLaunchFailure, [&] { return cudaLaunchKernelExC(&config, kernel, arguments); });
  expect_to_fail(cudaErrorUnknown,
                 [&] { return cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, 1024); });
}

TEST_F(FailingCalls, StreamsAndEvents) {
  cudaStream_t stream = nullptr;
  cudaEvent_t event = nullptr;
  expect_to_fail(cudaErrorUnknown, [&] { return cudaStreamCreate(&stream); });
  expect_to_fail(cudaErrorUnknown, [&] { return cudaEventCreate(&event); });
  expect_to_fail(cudaErrorUnknown, [&] { return cudaEventRecord(event, stream); });
  expect_to_fail(cudaErrorUnknown, [&] { return cudaStreamWaitEvent(stream_, event); });
  expect_to_fail(cudaErrorUnknown, [&] { return cudaStreamSynchronize(stream); });
  expect_to_fail(cudaErrorUnknown, [&] { return cudaEventSynchronize(event); });
  expect_to_fail(cudaErrorUnknown, [&] { return cudaDeviceSynchronize(); });
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);
}

TEST_F(FailingCalls, CapturesAndGraphs) {
  launch_fill(device_, 0, stream_);
  expect_to_fail(cudaErrorUnknown, [&] { return cudaStreamBeginCapture(stream_, cudaStreamCaptureModeGlobal); });
  launch_increment(device_, stream_);
  fail_call_(1);
  end_invalid(cudaErrorUnknown);
  begin();
  launch_increment(device_, stream_);
  end();
  expect_to_fail(cudaErrorUnknown, [&] { return cudaGraphInstantiate(&exec_, graph_, 0); });
  expect_to_fail(cudaErrorUnknown, [&] { return cudaGraphLaunch(exec_, stream_); });
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(device_.values(), all(1));
}

// Calls that only query or free something also succeed and are not counted, since a program could not recover from a
// failed free.
TEST_F(FailingCalls, OtherCallsAreNotCounted) {
  void* memory = nullptr;
  ASSERT_EQ(cudaMalloc(&memory, kBytes), cudaSuccess);
  const unsigned long long before = calls_();
  fail_call_(1);
  int device = -1;
  EXPECT_EQ(cudaGetDevice(&device), cudaSuccess);
  EXPECT_EQ(cudaSetDevice(0), cudaSuccess);
  EXPECT_EQ(cudaFree(memory), cudaSuccess);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  EXPECT_EQ(calls_(), before);
  fail_call_(0);
}

TEST_F(FailingCalls, LibrariesTakePart) {
  const unsigned long long before = calls_();
  fail_call_(2);
  EXPECT_EQ(fails_now_(), 0);
  EXPECT_NE(fails_now_(), 0);
  EXPECT_EQ(fails_now_(), 0);
  EXPECT_EQ(calls_() - before, 3u);
}

}  // namespace programs::failing_calls_test
