// SPDX-License-Identifier: Apache-2.0
//
// A compute call enqueues kernels and does nothing else: it can be captured, which CUDA allows only for calls that
// neither allocate nor synchronise, and the graph contains everything that it enqueued.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <tuple>
#include <vector>

#include "bench/calls.h"

namespace attn::bench {

static std::ostream& operator<<(std::ostream& out, const Pass& pass) { return out << pass.name; }

namespace {

std::size_t free_memory() {
  std::size_t free = 0, total = 0;
  EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  return free;
}

class Captured : public testing::TestWithParam<std::tuple<Pass, Shape>> {
 protected:
  void SetUp() override { ASSERT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess); }
  void TearDown() override { EXPECT_EQ(cudaStreamDestroy(stream_), cudaSuccess); }

  cudaStream_t stream_ = nullptr;
};

TEST_P(Captured, IsKernelsAlone) {
  const auto& [pass, shape] = GetParam();
  Handle handle(ATTN_BACKEND_CUDA);
  handle.set_stream(stream_);
  const std::unique_ptr<Call> call = make_call(handle, pass, shape, ATTN_DTYPE_FP32);
  call->run();  // loads the kernels
  handle.synchronize();
  const std::size_t before = free_memory();

  ASSERT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeGlobal), cudaSuccess);
  EXPECT_NO_THROW(call->run());
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamEndCapture(stream_, &graph), cudaSuccess);
  std::size_t count = 0;
  ASSERT_EQ(cudaGraphGetNodes(graph, nullptr, &count), cudaSuccess);
  EXPECT_GT(count, 0u);
  std::vector<cudaGraphNode_t> nodes(count);
  ASSERT_EQ(cudaGraphGetNodes(graph, nodes.data(), &count), cudaSuccess);
  for (cudaGraphNode_t node : nodes) {
    cudaGraphNodeType type{};
    ASSERT_EQ(cudaGraphNodeGetType(node, &type), cudaSuccess);
    EXPECT_EQ(type, cudaGraphNodeTypeKernel);
  }
  EXPECT_EQ(free_memory(), before);

  cudaGraphExec_t captured = nullptr;
  ASSERT_EQ(cudaGraphInstantiate(&captured, graph, 0), cudaSuccess);
  EXPECT_EQ(cudaGraphLaunch(captured, stream_), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(cudaGraphExecDestroy(captured), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
}

// Shapes with one block per item and shapes with several splits. The rows for pooling have no A.
INSTANTIATE_TEST_SUITE_P(Calls, Captured,
                         testing::Combine(testing::ValuesIn(kPasses),
                                          testing::Values(Shape{2, 1, 20, 8, 8}, Shape{1, 1, 600, 40, 40},
                                                          Shape{2, 3, 20, 8, 8}, Shape{1, 20, 300, 40, 40})));

}  // namespace
}  // namespace attn::bench
