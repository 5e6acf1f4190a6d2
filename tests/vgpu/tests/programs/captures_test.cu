// SPDX-License-Identifier: Apache-2.0
//
// Tests what stream capture supports and what it forbids.
#include "graphs.h"

namespace programs::captures_test {

class Captures : public Graphs {};

TEST_F(Captures, ForkAndJoinThroughEvents) {
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

TEST_F(Captures, AStreamThatHasJoinedAndItsEventsMayBeDestroyedBeforeTheEnd) {
  cudaStream_t joined = nullptr;
  cudaEvent_t fork = nullptr, join = nullptr;
  EXPECT_EQ(cudaStreamCreateWithFlags(&joined, cudaStreamNonBlocking), cudaSuccess);
  EXPECT_EQ(cudaEventCreate(&fork), cudaSuccess);
  EXPECT_EQ(cudaEventCreate(&join), cudaSuccess);
  begin();
  launch_fill(device_, 1, stream_);
  EXPECT_EQ(cudaEventRecord(fork, stream_), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(joined, fork), cudaSuccess);
  EXPECT_EQ(cudaEventDestroy(fork), cudaSuccess);
  launch_increment(device_, joined);
  EXPECT_EQ(cudaEventRecord(join, joined), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(stream_, join), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(joined), cudaSuccess);
  EXPECT_EQ(cudaEventDestroy(join), cudaSuccess);
  end();
  instantiate();
  launch_and_wait();
  EXPECT_EQ(device_.values(), all(2));
}

TEST_F(Captures, AStreamThatHasNotJoinedInvalidatesTheCaptureWhenItIsDestroyed) {
  cudaStream_t apart = nullptr;
  EXPECT_EQ(cudaStreamCreateWithFlags(&apart, cudaStreamNonBlocking), cudaSuccess);
  begin();
  EXPECT_EQ(cudaEventRecord(fork_, stream_), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(apart, fork_), cudaSuccess);
  launch_fill(device_, 1, apart);
  EXPECT_EQ(cudaStreamDestroy(apart), cudaErrorStreamCaptureUnsupported);
  end_invalid();
  EXPECT_EQ(cudaStreamDestroy(apart), cudaSuccess);
}

TEST_F(Captures, WorkThatIsNotJoinedFailsTheCapture) {
  begin();
  EXPECT_EQ(cudaEventRecord(fork_, stream_), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(other_, fork_), cudaSuccess);
  launch_fill(second_, 2, other_);
  end_invalid(cudaErrorStreamCaptureUnjoined);
}

TEST_F(Captures, CaptureEndsWhereItBegan) {
  begin();
  EXPECT_EQ(cudaEventRecord(fork_, stream_), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(other_, fork_), cudaSuccess);
  EXPECT_EQ(cudaStreamEndCapture(other_, &graph_), cudaErrorStreamCaptureUnmatched);
}

TEST_F(Captures, SynchronisingACapturedStreamInvalidatesTheCapture) {
  begin();
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaErrorStreamCaptureUnsupported);
  launch_fill(device_, 1, stream_);
  EXPECT_EQ(cudaGetLastError(), cudaErrorStreamCaptureInvalidated);
  end_invalid();
}

TEST_F(Captures, AnEventOfACaptureCannotBeWaitedForByTheHost) {
  begin();
  EXPECT_EQ(cudaEventRecord(fork_, stream_), cudaSuccess);
  EXPECT_EQ(cudaEventSynchronize(fork_), cudaErrorCapturedEvent);
  end_invalid();
}

TEST_F(Captures, WaitingForWorkOutsideInvalidatesTheCapture) {
  launch_fill(device_, 1, other_);
  EXPECT_EQ(cudaEventRecord(fork_, other_), cudaSuccess);
  begin();
  EXPECT_EQ(cudaStreamWaitEvent(stream_, fork_), cudaErrorStreamCaptureIsolation);
  end_invalid();
}

TEST_F(Captures, UnsafeCallsDependOnTheMode) {
  void* pointer = nullptr;
  begin(cudaStreamCaptureModeGlobal);
  EXPECT_EQ(cudaMalloc(&pointer, 4), cudaErrorStreamCaptureUnsupported);
  end_invalid();
  begin(cudaStreamCaptureModeRelaxed);
  EXPECT_EQ(cudaMalloc(&pointer, 4), cudaSuccess);
  end();
  EXPECT_EQ(cudaFree(pointer), cudaSuccess);
}

TEST_F(Captures, AThreadCanDeclareItsCallsSafe) {
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

TEST_F(Captures, TheLegacyStreamMayNotWaitForACapture) {
  const Stream blocking(cudaStreamDefault);
  ASSERT_EQ(cudaStreamBeginCapture(blocking, cudaStreamCaptureModeRelaxed), cudaSuccess);
  launch_fill(device_, 1);
  EXPECT_EQ(cudaGetLastError(), cudaErrorStreamCaptureImplicit);
  EXPECT_EQ(cudaStreamEndCapture(blocking, &graph_), cudaErrorStreamCaptureInvalidated);
  EXPECT_EQ(cudaStreamBeginCapture(cudaStreamLegacy, cudaStreamCaptureModeRelaxed), cudaErrorStreamCaptureUnsupported);
}

TEST_F(Captures, CaptureInfoShowsWhatTheNextNodeDependsOn) {
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

}  // namespace programs::captures_test
