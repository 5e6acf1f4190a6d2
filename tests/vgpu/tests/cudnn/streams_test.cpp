// SPDX-License-Identifier: Apache-2.0
//
// Tests when work runs, which values it reads at that time, and what a graph stores of a call.
#include <cmath>
#include <functional>

#include "cudart/find_vgpu.h"
#include "cudnn/test_device.h"

namespace vgpu::cudnn_test {
namespace {

class Streams : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_virtual()) GTEST_SKIP() << "a GPU runs work when it likes";
    expect_ok(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
    expect_ok(cudaDeviceSynchronize());
  }
  void TearDown() override {
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }

  cudaGraphExec_t capture(const std::function<void()>& calls) {
    cudaGraph_t graph{};
    cudaGraphExec_t executable{};
    expect_ok(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeGlobal));
    calls();
    expect_ok(cudaStreamEndCapture(stream_, &graph));
    expect_ok(cudaGraphInstantiate(&executable, graph, 0));
    expect_ok(cudaGraphDestroy(graph));
    return executable;
  }

  cudaStream_t stream_ = nullptr;
};

TEST_F(Streams, WorkWaitsForItsTurnInTheStreamOfTheHandle) {
  Lstm lstm(Settings{});
  expect_ok(cudaDeviceSynchronize());
  lstm.y.set(std::vector<double>(120, -9));
  expect_ok(cudnnSetStream(lstm.handle, stream_));
  cudaStream_t now{};
  expect_ok(cudnnGetStream(lstm.handle, &now));
  EXPECT_EQ(now, stream_);
  cudaEvent_t end{};
  expect_ok(cudaEventCreate(&end));
  expect_ok(lstm.forward());
  expect_ok(cudaEventRecord(end, stream_));
  EXPECT_EQ(cudaEventQuery(end), cudaErrorNotReady) << "nothing has waited for the stream";
  expect_ok(cudaStreamSynchronize(stream_));
  EXPECT_EQ(cudaEventQuery(end), cudaSuccess);
  EXPECT_NE(lstm.y.values(), std::vector<double>(120, -9));
  expect_ok(cudaEventDestroy(end));
}

TEST_F(Streams, AStreamThatIsGoneIsRefused) {
  Lstm lstm(Settings{});
  expect_ok(cudnnSetStream(lstm.handle, stream_));
  expect_ok(cudaStreamDestroy(stream_));
  EXPECT_EQ(cudnnSetStream(lstm.handle, stream_), CUDNN_STATUS_BAD_PARAM);
  EXPECT_NE(lstm.forward(), CUDNN_STATUS_SUCCESS);
  stream_ = nullptr;
}

TEST_F(Streams, AGraphRunsACallAgainWithTheLengthsItHad) {
  Lstm lstm(Settings{});
  expect_ok(cudnnSetStream(lstm.handle, stream_));
  expect_ok(lstm.forward());
  expect_ok(cudaStreamSynchronize(stream_));
  const std::vector<double> expected = lstm.y.values();
  cudaGraphExec_t graph = capture([&] {
    expect_ok(lstm.forward());
    expect_ok(lstm.backward_data());
    expect_ok(lstm.backward_weights());
  });
  const int lengths[] = {1, 1, 1};
  expect_ok(cudnnSetRNNDataDescriptor(lstm.y_data, CUDNN_DATA_FLOAT, lstm.settings.layout, 4, 3, 10, lengths, nullptr));
  lstm.y.set(std::vector<double>(120, -9));
  expect_ok(cudaGraphLaunch(graph, stream_));
  expect_ok(cudaStreamSynchronize(stream_));
  EXPECT_EQ(lstm.y.values(), expected);
  const std::vector<double> once = lstm.read(lstm.derivatives, lstm.weight_count());
  expect_ok(cudaGraphLaunch(graph, stream_));
  expect_ok(cudaStreamSynchronize(stream_));
  const std::vector<double> twice = lstm.read(lstm.derivatives, lstm.weight_count());
  for (std::size_t i = 0; i < once.size(); ++i) ASSERT_NEAR(twice[i], 2 * once[i], 1e-6 * std::abs(once[i]));
  expect_ok(cudaGraphExecDestroy(graph));
}

TEST_F(Streams, EveryLaunchDrawsAnotherDropout) {
  Settings settings;
  settings.layers = 2;
  settings.dropout = 0.5f;
  Lstm lstm(settings);
  expect_ok(cudaDeviceSynchronize());
  expect_ok(cudnnSetStream(lstm.handle, stream_));
  cudaGraphExec_t graph = capture([&] { expect_ok(lstm.forward()); });
  std::vector<double> y[2];
  for (auto& one : y) {
    expect_ok(cudaGraphLaunch(graph, stream_));
    expect_ok(cudaStreamSynchronize(stream_));
    one = lstm.y.values();
  }
  EXPECT_NE(y[0], y[1]);
  expect_ok(cudaGraphExecDestroy(graph));
}

TEST_F(Streams, WhatWasNeverWrittenIsNotRead) {
  const auto outcome = [](const std::function<void(Lstm&)>& before, const std::function<void(Lstm&)>& after) {
    Lstm lstm(Settings{});
    before(lstm);
    after(lstm);
    const cudaError_t error = cudaDeviceSynchronize();
    expect_ok(cudaDeviceReset());
    return error;
  };
  const auto forward = [](Lstm& lstm) { expect_ok(lstm.forward()); };
  const auto fresh = [](std::size_t bytes) {
    void* memory = nullptr;
    expect_ok(cudaMalloc(&memory, bytes));
    return memory;
  };
  EXPECT_EQ(outcome([](Lstm&) {}, forward), cudaSuccess);
  EXPECT_NE(outcome([&](Lstm& lstm) { lstm.weights = fresh(lstm.weight_bytes); }, forward), cudaSuccess);
  EXPECT_NE(outcome(forward,
                    [&](Lstm& lstm) {
                      lstm.reserve = fresh(lstm.reserve_bytes);
                      expect_ok(lstm.backward_data());
                    }),
            cudaSuccess);
}

TEST_F(Streams, ATestMayLetACallFail) {
  auto* fail_call = find_vgpu<decltype(vgpu_fail_call)>("vgpu_fail_call");
  ASSERT_NE(fail_call, nullptr);
  Lstm lstm(Settings{});
  const auto expect_failure = [&](cudnnStatus_t expected, const std::function<cudnnStatus_t()>& call) {
    fail_call(1);
    EXPECT_EQ(call(), expected);
    EXPECT_EQ(call(), CUDNN_STATUS_SUCCESS);
  };
  const cudnnStatus_t no_memory = CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED;
  cudnnHandle_t handle{};
  expect_failure(no_memory, [&] { return cudnnCreate(&handle); });
  expect_ok(cudnnDestroy(handle));
  cudnnRNNDescriptor_t rnn{};
  expect_failure(no_memory, [&] { return cudnnCreateRNNDescriptor(&rnn); });
  expect_ok(cudnnDestroyRNNDescriptor(rnn));
  expect_failure(CUDNN_STATUS_EXECUTION_FAILED, [&] { return lstm.forward(); });
  expect_failure(CUDNN_STATUS_EXECUTION_FAILED, [&] { return lstm.backward_data(); });
  expect_failure(CUDNN_STATUS_EXECUTION_FAILED, [&] { return lstm.backward_weights(); });
  expect_ok(cudaDeviceSynchronize());
}

}  // namespace
}  // namespace vgpu::cudnn_test
