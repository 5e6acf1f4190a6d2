// SPDX-License-Identifier: Apache-2.0
//
// Tests graphs that are captured or built node by node, launched and updated.
#include "graphs.h"

namespace programs::graphs_test {

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

  cudaMemcpy3DParms half{};
  half.srcPtr = make_cudaPitchedPtr(values, kBytes, kBytes, 1);
  half.dstPtr = make_cudaPitchedPtr(static_cast<int*>(host_), kBytes, kBytes, 1);
  half.extent = make_cudaExtent(kBytes / 2, 1, 1);
  half.kind = cudaMemcpyDeviceToHost;
  EXPECT_EQ(cudaGraphExecMemcpyNodeSetParams(exec_, copied, &half), cudaSuccess);
  EXPECT_EQ(cudaGraphExecMemcpyNodeSetParams(exec_, filled, &half), cudaErrorInvalidValue);
  value = 6;
  EXPECT_EQ(cudaGraphExecKernelNodeSetParams(exec_, filled, &kernel), cudaSuccess);
  launch_and_wait();
  EXPECT_EQ(host_[kCount / 2 - 1], 6);
  EXPECT_EQ(host_[kCount / 2], 4);
  EXPECT_EQ(cudaGraphMemcpyNodeSetParams(copied, &half), cudaSuccess);

  EXPECT_EQ(cudaGraphNodeSetEnabled(exec_, copied, 0), cudaSuccess);
  value = 5;
  EXPECT_EQ(cudaGraphExecKernelNodeSetParams(exec_, filled, &kernel), cudaSuccess);
  launch_and_wait();
  EXPECT_EQ(host_[0], 6);
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

}  // namespace programs::graphs_test
