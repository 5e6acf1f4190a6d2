// SPDX-License-Identifier: Apache-2.0
//
// Tests the work of a library in streams and in graphs, and when its argument is released.
#include "programs/issued.h"

#include <string>

#include "graphs.h"

namespace programs::issued_work_test {

class IssuedWork : public Graphs {
 protected:
  void SetUp() override {
    if (!is_virtual()) GTEST_SKIP() << "this is a GPU";
  }
  int add(int summand, cudaStream_t stream) { return issue_addition(device_, kCount, summand, stream, released_); }

  int released_ = 0;
};

TEST_F(IssuedWork, RunsInTheOrderOfItsStream) {
  launch_fill(device_, 1, stream_);
  EXPECT_EQ(add(5, stream_), cudaSuccess);
  launch_increment(device_, stream_);
  EXPECT_EQ(add(-2, stream_), cudaSuccess);
  EXPECT_EQ(cudaMemcpyAsync(host_, device_, kBytes, cudaMemcpyDeviceToHost, stream_), cudaSuccess);
  if (runs_on_demand()) {
    EXPECT_EQ(released_, 0);
    EXPECT_EQ(host_.values(), all(-1));
  }
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(host_.values(), all(5));
  EXPECT_EQ(released_, 2);
}

// The legacy stream and blocking streams wait for each other. Work that nothing waits for does not run.
TEST_F(IssuedWork, KeepsToTheOrderOfTheLegacyStream) {
  const Stream blocking(cudaStreamDefault);
  launch_fill(device_, 1, blocking);
  EXPECT_EQ(add(1, nullptr), cudaSuccess);
  launch_increment(device_, blocking);
  EXPECT_EQ(cudaStreamSynchronize(blocking), cudaSuccess);
  EXPECT_EQ(device_.values(), all(3));
}

TEST_F(IssuedWork, WaitsForEvents) {
  launch_fill(device_, 1, stream_);
  EXPECT_EQ(cudaEventRecord(fork_, stream_), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(other_, fork_), cudaSuccess);
  EXPECT_EQ(add(1, other_), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(other_), cudaSuccess);
  EXPECT_EQ(device_.values(), all(2));
}

TEST_F(IssuedWork, IsAKernelOfTheGraphThatItIsCapturedInto) {
  launch_fill(device_, 0, stream_);
  begin();
  EXPECT_EQ(add(1, stream_), cudaSuccess);
  launch_increment(device_, stream_);
  end();
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(device_.values(), all(0)) << "it ran while it was captured";

  cudaGraphNode_t nodes[2];
  std::size_t count = 2;
  ASSERT_EQ(cudaGraphGetNodes(graph_, nodes, &count), cudaSuccess);
  ASSERT_EQ(count, 2u);
  cudaGraphNodeType type = cudaGraphNodeTypeEmpty;
  EXPECT_EQ(cudaGraphNodeGetType(nodes[0], &type), cudaSuccess);
  EXPECT_EQ(type, cudaGraphNodeTypeKernel);

  cudaGraph_t clone = nullptr;
  ASSERT_EQ(cudaGraphClone(&clone, graph_), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph_), cudaSuccess);
  graph_ = clone;
  instantiate();
  launch_and_wait();
  launch_and_wait();
  EXPECT_EQ(device_.values(), all(4));

  EXPECT_EQ(released_, 0) << "it could be launched again";
  EXPECT_EQ(cudaGraphDestroy(std::exchange(graph_, nullptr)), cudaSuccess);
  EXPECT_EQ(released_, 0) << "the executable graph could be launched again";
  EXPECT_EQ(cudaGraphExecDestroy(std::exchange(exec_, nullptr)), cudaSuccess);
  EXPECT_EQ(released_, 1);
}

TEST_F(IssuedWork, ItsParametersInAGraphAreRefusedByName) {
  begin();
  EXPECT_EQ(add(1, stream_), cudaSuccess);
  end();
  instantiate();
  cudaGraphNode_t node = nullptr;
  std::size_t count = 1;
  ASSERT_EQ(cudaGraphGetNodes(graph_, &node, &count), cudaSuccess);
  cudaKernelNodeParams parameters{};
  testing::internal::CaptureStderr();
  EXPECT_EQ(cudaGraphKernelNodeGetParams(node, &parameters), cudaErrorNotSupported);
  EXPECT_EQ(cudaGraphKernelNodeSetParams(node, &parameters), cudaErrorNotSupported);
  EXPECT_EQ(cudaGraphExecKernelNodeSetParams(exec_, node, &parameters), cudaErrorNotSupported);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("kernel addition of a library"), std::string::npos) << said;
}

TEST_F(IssuedWork, AGraphIsUpdatedWithWorkOfALibrary) {
  launch_fill(device_, 0, stream_);
  begin();
  EXPECT_EQ(add(1, stream_), cudaSuccess);
  end();
  instantiate();
  EXPECT_EQ(cudaGraphDestroy(graph_), cudaSuccess);
  begin();
  EXPECT_EQ(add(10, stream_), cudaSuccess);
  end();
  cudaGraphExecUpdateResultInfo info{};
  EXPECT_EQ(cudaGraphExecUpdate(exec_, graph_, &info), cudaSuccess);
  EXPECT_EQ(released_, 1);
  launch_and_wait();
  EXPECT_EQ(device_.values(), all(10));
}

TEST_F(IssuedWork, WhatIsNotTakenIsReleased) {
  const std::vector<vgpu_range_t> none;
  auto* issue = find_vgpu<decltype(vgpu_issue)>("vgpu_issue");
  const auto with = [&](cudaStream_t stream, const char* name, std::size_t count, void (*run)(void*)) {
    return issue(stream, name, nullptr, count, run, release_addition, new Addition{nullptr, 0, 0, &released_});
  };
  EXPECT_EQ(with(stream_, nullptr, 0, add_now), cudaErrorInvalidValue);
  EXPECT_EQ(with(stream_, "addition", 1, add_now), cudaErrorInvalidValue);
  EXPECT_EQ(with(stream_, "addition", 0, nullptr), cudaErrorInvalidValue);
  cudaStream_t gone = nullptr;
  ASSERT_EQ(cudaStreamCreate(&gone), cudaSuccess);
  ASSERT_EQ(cudaStreamDestroy(gone), cudaSuccess);
  EXPECT_EQ(with(gone, "addition", 0, add_now), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(released_, 4);
}

TEST(DISABLED_Role, AddsOnce) {
  const DeviceInts values;
  int released = 0;
  launch_fill(values, 1);
  EXPECT_EQ(issue_addition(values, kCount, 1, nullptr, released), cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
}

TEST_F(IssuedWork, HasALineAmongTheCounters) {
  expect_in("{\"kernel\": \"addition\", \"device\": 0}\n", play("AddsOnce", "VGPU_COUNTERS=-"));
}

void call_cuda(void* argument) { *static_cast<cudaError_t*>(argument) = cudaDeviceSynchronize(); }

TEST_F(IssuedWork, MayNotCallTheRuntime) {
  auto* issue = find_vgpu<decltype(vgpu_issue)>("vgpu_issue");
  cudaError_t running = cudaSuccess, releasing = cudaSuccess;
  static cudaError_t* seen[2];
  seen[0] = &running, seen[1] = &releasing;
  EXPECT_EQ(
      issue(
          stream_, "caller", nullptr, 0, [](void*) { call_cuda(seen[0]); }, [](void*) { call_cuda(seen[1]); }, nullptr),
      cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(running, cudaErrorNotPermitted);
  EXPECT_EQ(releasing, cudaErrorNotPermitted);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
}

}  // namespace programs::issued_work_test
