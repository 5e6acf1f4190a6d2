// SPDX-License-Identifier: Apache-2.0
//
// Stream capture and graphs.
#include "support.h"

namespace programs {
namespace {

// Ends what the test began, so that one failure does not spoil the next test.
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

TEST_F(Graphs, CapturedWorkRunsAtEachLaunchAndNotBefore) {
  launch_fill(device_, 1, stream_);
  ASSERT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  begin();
  launch_increment(device_, stream_);
  launch_increment(device_, stream_);
  end();
  EXPECT_EQ(count_nodes(), 2u);
  instantiate();
  EXPECT_EQ(device_.values(), all(1));
  launch_and_wait();
  EXPECT_EQ(device_.values(), all(3));
  ASSERT_EQ(cudaGraphLaunch(exec_, stream_), cudaSuccess);
  launch_and_wait();
  EXPECT_EQ(device_.values(), all(7));
}

TEST_F(Graphs, ArgumentsAreFrozenWhenTheyAreCaptured) {
  int value = 5;
  begin();
  launch_fill(device_, value, stream_);
  value = 6;
  end();
  instantiate();
  launch_and_wait();
  EXPECT_EQ(device_.values(), all(5));
}

TEST_F(Graphs, AnExecutableGraphOutlivesItsGraph) {
  begin();
  launch_fill(device_, 9, stream_);
  end();
  instantiate();
  ASSERT_EQ(cudaGraphDestroy(graph_), cudaSuccess);
  graph_ = nullptr;
  launch_and_wait();
  EXPECT_EQ(device_.values(), all(9));
}

TEST_F(Graphs, ForkAndJoinThroughEvents) {
  begin();
  launch_fill(device_, 1, stream_);
  EXPECT_EQ(cudaEventRecord(fork_, stream_), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(other_, fork_), cudaSuccess);
  launch_fill(second_, 2, other_);
  launch_increment(device_, stream_);
  EXPECT_EQ(cudaEventRecord(join_, other_), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(stream_, join_), cudaSuccess);
  EXPECT_EQ(cudaMemcpyAsync(host_, second_, kBytes, cudaMemcpyDeviceToHost, stream_), cudaSuccess);
  end();
  EXPECT_EQ(count_nodes(), 4u);
  std::size_t edges = 0, roots = 0;
  EXPECT_EQ(cudaGraphGetEdges(graph_, nullptr, nullptr, nullptr, &edges), cudaSuccess);
  EXPECT_EQ(edges, 4u);
  EXPECT_EQ(cudaGraphGetRootNodes(graph_, nullptr, &roots), cudaSuccess);
  EXPECT_EQ(roots, 1u);
  instantiate();
  launch_and_wait();
  EXPECT_EQ(device_.values(), all(2));
  EXPECT_EQ(host_.values(), all(2));
}

TEST_F(Graphs, WorkThatIsNotJoinedFailsTheCapture) {
  begin();
  EXPECT_EQ(cudaEventRecord(fork_, stream_), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(other_, fork_), cudaSuccess);
  launch_fill(second_, 2, other_);
  end_invalid(cudaErrorStreamCaptureUnjoined);
}

TEST_F(Graphs, CaptureEndsWhereItBegan) {
  begin();
  EXPECT_EQ(cudaEventRecord(fork_, stream_), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(other_, fork_), cudaSuccess);
  EXPECT_EQ(cudaStreamEndCapture(other_, &graph_), cudaErrorStreamCaptureUnmatched);
}

TEST_F(Graphs, SynchronisingACapturedStreamInvalidatesTheCapture) {
  begin();
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaErrorStreamCaptureUnsupported);
  launch_fill(device_, 1, stream_);
  EXPECT_EQ(cudaGetLastError(), cudaErrorStreamCaptureInvalidated);
  end_invalid();
}

TEST_F(Graphs, AnEventOfACaptureCannotBeWaitedForByTheHost) {
  begin();
  EXPECT_EQ(cudaEventRecord(fork_, stream_), cudaSuccess);
  EXPECT_EQ(cudaEventSynchronize(fork_), cudaErrorCapturedEvent);
  end_invalid();
}

TEST_F(Graphs, WaitingForWorkOutsideInvalidatesTheCapture) {
  launch_fill(device_, 1, other_);
  EXPECT_EQ(cudaEventRecord(fork_, other_), cudaSuccess);
  begin();
  EXPECT_EQ(cudaStreamWaitEvent(stream_, fork_), cudaErrorStreamCaptureIsolation);
  end_invalid();
}

TEST_F(Graphs, UnsafeCallsDependOnTheMode) {
  void* pointer = nullptr;
  begin(cudaStreamCaptureModeGlobal);
  EXPECT_EQ(cudaMalloc(&pointer, 4), cudaErrorStreamCaptureUnsupported);
  end_invalid();
  begin(cudaStreamCaptureModeRelaxed);
  EXPECT_EQ(cudaMalloc(&pointer, 4), cudaSuccess);
  end();
  EXPECT_EQ(cudaFree(pointer), cudaSuccess);
}

TEST_F(Graphs, AThreadCanDeclareItsCallsSafe) {
  begin(cudaStreamCaptureModeGlobal);
  cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
  EXPECT_EQ(cudaThreadExchangeStreamCaptureMode(&mode), cudaSuccess);
  EXPECT_EQ(mode, cudaStreamCaptureModeGlobal);
  void* pointer = nullptr;
  EXPECT_EQ(cudaMalloc(&pointer, 4), cudaSuccess);
  EXPECT_EQ(cudaThreadExchangeStreamCaptureMode(&mode), cudaSuccess);
  EXPECT_EQ(mode, cudaStreamCaptureModeRelaxed);
  end();
  EXPECT_EQ(cudaFree(pointer), cudaSuccess);
}

TEST_F(Graphs, TheLegacyStreamMayNotWaitForACapture) {
  const Stream blocking(cudaStreamDefault);
  ASSERT_EQ(cudaStreamBeginCapture(blocking, cudaStreamCaptureModeRelaxed), cudaSuccess);
  launch_fill(device_, 1);
  EXPECT_EQ(cudaGetLastError(), cudaErrorStreamCaptureImplicit);
  EXPECT_EQ(cudaStreamEndCapture(blocking, &graph_), cudaErrorStreamCaptureInvalidated);
  EXPECT_EQ(cudaStreamBeginCapture(cudaStreamLegacy, cudaStreamCaptureModeRelaxed), cudaErrorStreamCaptureUnsupported);
}

TEST_F(Graphs, CaptureInfoShowsWhatTheNextNodeDependsOn) {
  begin();
  launch_fill(device_, 1, stream_);
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  const cudaGraphNode_t* nodes = nullptr;
  std::size_t count = 0;
  cudaGraph_t graph = nullptr;
  unsigned long long id = 0;
  EXPECT_EQ(cudaStreamGetCaptureInfo(stream_, &status, &id, &graph, &nodes, nullptr, &count), cudaSuccess);
  EXPECT_EQ(status, cudaStreamCaptureStatusActive);
  ASSERT_EQ(count, 1u);
  cudaGraphNodeType type = cudaGraphNodeTypeEmpty;
  EXPECT_EQ(cudaGraphNodeGetType(nodes[0], &type), cudaSuccess);
  EXPECT_EQ(type, cudaGraphNodeTypeKernel);
  end();
  EXPECT_EQ(graph, graph_);
}

TEST_F(Graphs, MadeByHand) {
  ASSERT_EQ(cudaGraphCreate(&graph_, 0), cudaSuccess);
  int* values = device_;
  int value = 3, count = kCount;
  void* arguments[] = {&values, &value, &count};
  cudaKernelNodeParams kernel{};
  kernel.func = reinterpret_cast<void*>(fill);
  kernel.gridDim = dim3(kBlocks);
  kernel.blockDim = dim3(kThreads);
  kernel.kernelParams = arguments;
  cudaGraphNode_t filled = nullptr, copied = nullptr;
  ASSERT_EQ(cudaGraphAddKernelNode(&filled, graph_, nullptr, 0, &kernel), cudaSuccess);
  ASSERT_EQ(cudaGraphAddMemcpyNode1D(&copied, graph_, &filled, 1, host_, device_, kBytes, cudaMemcpyDeviceToHost),
            cudaSuccess);
  instantiate();
  launch_and_wait();
  EXPECT_EQ(host_.values(), all(3));

  value = 4;
  EXPECT_EQ(cudaGraphExecKernelNodeSetParams(exec_, filled, &kernel), cudaSuccess);
  launch_and_wait();
  EXPECT_EQ(host_.values(), all(4));

  EXPECT_EQ(cudaGraphNodeSetEnabled(exec_, copied, 0), cudaSuccess);
  value = 5;
  EXPECT_EQ(cudaGraphExecKernelNodeSetParams(exec_, filled, &kernel), cudaSuccess);
  launch_and_wait();
  EXPECT_EQ(host_.values(), all(4));
}

TEST_F(Graphs, ACircleCannotBeInstantiated) {
  ASSERT_EQ(cudaGraphCreate(&graph_, 0), cudaSuccess);
  cudaGraphNode_t a = nullptr, b = nullptr;
  ASSERT_EQ(cudaGraphAddEmptyNode(&a, graph_, nullptr, 0), cudaSuccess);
  ASSERT_EQ(cudaGraphAddEmptyNode(&b, graph_, &a, 1), cudaSuccess);
  ASSERT_EQ(cudaGraphAddDependencies(graph_, &b, &a, nullptr, 1), cudaSuccess);
  EXPECT_NE(cudaGraphInstantiate(&exec_, graph_, 0), cudaSuccess);
}

TEST_F(Graphs, AnUpdateTakesNewWorkAndRefusesAnotherShape) {
  begin();
  launch_fill(device_, 1, stream_);
  end();
  instantiate();
  ASSERT_EQ(cudaGraphDestroy(graph_), cudaSuccess);
  begin();
  launch_fill(device_, 2, stream_);
  end();
  cudaGraphExecUpdateResultInfo info{};
  EXPECT_EQ(cudaGraphExecUpdate(exec_, graph_, &info), cudaSuccess);
  launch_and_wait();
  EXPECT_EQ(device_.values(), all(2));
  ASSERT_EQ(cudaGraphDestroy(graph_), cudaSuccess);
  begin();
  launch_fill(device_, 2, stream_);
  launch_fill(device_, 3, stream_);
  end();
  EXPECT_EQ(cudaGraphExecUpdate(exec_, graph_, &info), cudaErrorGraphExecUpdateFailure);
  EXPECT_EQ(info.result, cudaGraphExecUpdateErrorTopologyChanged);
}

TEST_F(Graphs, MemoryOfAGraph) {
  int* temporary = nullptr;
  begin();
  EXPECT_EQ(cudaMallocAsync(&temporary, kBytes, stream_), cudaSuccess);
  launch_fill(temporary, 6, stream_);
  EXPECT_EQ(cudaMemcpyAsync(host_, temporary, kBytes, cudaMemcpyDeviceToHost, stream_), cudaSuccess);
  EXPECT_EQ(cudaFreeAsync(temporary, stream_), cudaSuccess);
  end();
  instantiate();
  launch_and_wait();
  EXPECT_EQ(host_.values(), all(6));
}

TEST_F(Graphs, AGraphLaunchedIntoACaptureBecomesANode) {
  begin();
  launch_increment(device_, stream_);
  end();
  instantiate();
  ASSERT_EQ(cudaGraphDestroy(graph_), cudaSuccess);
  begin();
  launch_fill(device_, 1, stream_);
  EXPECT_EQ(cudaGraphLaunch(exec_, stream_), cudaSuccess);
  launch_increment(device_, stream_);
  end();
  EXPECT_EQ(count_nodes(), 3u);
  ASSERT_EQ(cudaGraphExecDestroy(exec_), cudaSuccess);
  instantiate();
  launch_and_wait();
  EXPECT_EQ(device_.values(), all(3));
}

}  // namespace
}  // namespace programs
