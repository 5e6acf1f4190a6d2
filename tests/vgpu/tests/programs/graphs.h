// SPDX-License-Identifier: Apache-2.0
//
// Helpers for the tests of stream capture and of graphs.
#pragma once

#include "support.h"

namespace programs {

// Ends the capture and destroys the graphs that a test left, so that one failure does not affect the next test.
class Graphs : public testing::Test {
 protected:
  ~Graphs() override {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    cudaGraph_t left = nullptr;
    if (cudaStreamIsCapturing(stream_, &status) == cudaSuccess && status != cudaStreamCaptureStatusNone)
      cudaStreamEndCapture(stream_, &left);
    if (exec_ != nullptr) cudaGraphExecDestroy(exec_);
    if (graph_ != nullptr) cudaGraphDestroy(graph_);
    cudaGetLastError();
  }

  void begin(cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal) {
    ASSERT_EQ(cudaStreamBeginCapture(stream_, mode), cudaSuccess);
  }
  void end() { ASSERT_EQ(cudaStreamEndCapture(stream_, &graph_), cudaSuccess); }
  // An invalidated capture ends with an error and without a graph.
  void end_invalid(cudaError_t error = cudaErrorStreamCaptureInvalidated) {
    EXPECT_EQ(cudaStreamEndCapture(stream_, &graph_), error);
    EXPECT_EQ(graph_, nullptr);
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusActive;
    EXPECT_EQ(cudaStreamIsCapturing(stream_, &status), cudaSuccess);
    EXPECT_EQ(status, cudaStreamCaptureStatusNone);
  }
  void instantiate() { ASSERT_EQ(cudaGraphInstantiate(&exec_, graph_, 0), cudaSuccess); }
  void launch_and_wait() {
    ASSERT_EQ(cudaGraphLaunch(exec_, stream_), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  }
  std::size_t count_nodes() const {
    std::size_t count = 0;
    EXPECT_EQ(cudaGraphGetNodes(graph_, nullptr, &count), cudaSuccess);
    return count;
  }

  const Stream stream_, other_;
  const Event fork_, join_;
  const DeviceInts device_, second_;
  const PinnedInts host_;
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t exec_ = nullptr;
};

}  // namespace programs
