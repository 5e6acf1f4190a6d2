// SPDX-License-Identifier: Apache-2.0
//
// Properties of the classifier's layers that exist only on CUDA: streams, graphs, a workspace, and unchecked ids.
#include <cuda_runtime_api.h>

#include "attn_cuda/encoder.hpp"
#include "reference/layers.h"
#include "support/attention_run.h"
#include "support/random.h"
#include "support/tolerance.h"

namespace attn::test {
namespace {

std::size_t embedding_workspace(const Handle& handle, std::int64_t N, std::int64_t V, std::int64_t E) {
  std::size_t bytes = 0;
  check(attn_embedding_workspace_size(handle.get(), N, V, E, &bytes));
  return bytes;
}

class CudaLayers : public testing::Test {
 protected:
  CudaLayers() { EXPECT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess); }
  // Ends the capture of a failed test, so that the next test is not affected.
  ~CudaLayers() override {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    cudaGraph_t left = nullptr;
    if (cudaStreamIsCapturing(stream, &status) == cudaSuccess && status != cudaStreamCaptureStatusNone)
      cudaStreamEndCapture(stream, &left);
    cudaStreamDestroy(stream);
    cudaGetLastError();
  }

  const Handle handle = Handle(ATTN_BACKEND_CUDA);
  cudaStream_t stream = nullptr;
};

TEST_F(CudaLayers, IdsOutsideTheTableGiveZerosAndNoGradient) {
  constexpr std::int64_t kN = 100, kV = 9, kE = 33;
  constexpr std::int32_t kMost = std::numeric_limits<std::int32_t>::max();
  const std::int32_t strange[] = {kV, -1, kMost, -kMost - 1, kV + 16, 1 << 30};
  const std::vector<float> table = Random(1).normal(kV * kE), d_rows = Random(2).normal(kN * kE);
  std::vector<std::int32_t> ids = Random(3).integers(kN, 0, kV - 1), known = ids;
  std::vector<float> expected_rows = narrow(reference::embedding_forward(kE, known, widen(table)));
  std::vector<float> known_d_rows = d_rows;
  for (std::int64_t n = 0; n < kN; n += 3) {
    ids[n] = strange[n / 3 % 6];
    std::fill_n(expected_rows.begin() + n * kE, kE, 0.0f);
    std::fill_n(known_d_rows.begin() + n * kE, kE, 0.0f);
  }
  const Buffer<std::int32_t> on_device(handle, ids);
  const Buffer<float> table_in(handle, table), d_rows_in(handle, d_rows), rows(handle, kN * kE),
      d_table(handle, kV * kE);
  const Buffer<std::byte> workspace(handle, embedding_workspace(handle, kN, kV, kE));
  check(attn_embedding_forward(handle.get(), ATTN_DTYPE_FP32, kN, kV, kE, on_device.data(), table_in.data(),
                               rows.data()));
  check(attn_embedding_backward(handle.get(), ATTN_DTYPE_FP32, kN, kV, kE, on_device.data(), d_rows_in.data(),
                                d_table.data(), workspace.data(), workspace.size()));
  EXPECT_EQ(rows.download(), expected_rows);
  EXPECT_TRUE(close(Operation::embedding, d_table.download(),
                    reference::embedding_backward(kV, kE, known, widen(known_d_rows)), {kV, kE}));
}

// A training step of the classifier's layers, with tensors in the memory of a handle.
class Step {
 public:
  static constexpr std::int64_t kN = 6400, kV = 500, kE = 128;

  explicit Step(const Handle& handle)
      : handle_(&handle),
        ids_(handle, Random(4).integers(kN, 0, kV - 1)),
        rows_(handle, kN * kE),
        g_(handle, kV * kE),
        p_(handle, Random(5).normal(kV * kE)),
        m_(handle, std::vector<float>(kV * kE)),
        s_(handle, std::vector<float>(kV * kE)),
        workspace_(handle, embedding_workspace(handle, kN, kV, kE)) {}

  // Uses each row as its own gradient.
  void run() {
    const attn_adam_desc_t adam = {sizeof adam, 1e-2f, 0.9f, 0.999f, 1e-7f, 1, 1, nullptr};
    check(attn_embedding_forward(handle_->get(), ATTN_DTYPE_FP32, kN, kV, kE, ids_.data(), p_.data(), rows_.data()));
    check(attn_embedding_backward(handle_->get(), ATTN_DTYPE_FP32, kN, kV, kE, ids_.data(), rows_.data(), g_.data(),
                                  workspace_.data(), workspace_.size()));
    check(attn_adam_step(handle_->get(), &adam, kV * kE, g_.data(), p_.data(), m_.data(), s_.data()));
  }

  std::vector<float> parameters() const { return p_.download(); }

 private:
  const Handle* handle_;
  Buffer<std::int32_t> ids_;
  Buffer<float> rows_, g_, p_, m_, s_;
  Buffer<std::byte> workspace_;
};

// A capture rejects every call that allocates or synchronises.
TEST_F(CudaLayers, AStepIsCapturedAndReplayed) {
  Handle on_stream(ATTN_BACKEND_CUDA);
  on_stream.set_stream(stream);
  Step captured(on_stream), direct(handle);
  const std::vector<float> before = direct.parameters();
  on_stream.synchronize();

  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), cudaSuccess);
  captured.run();
  ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
  ASSERT_EQ(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
  EXPECT_TRUE(same_bits(captured.parameters(), before));
  for (int step = 0; step < 3; ++step) {
    ASSERT_EQ(cudaGraphLaunch(exec, stream), cudaSuccess);
    direct.run();
    EXPECT_TRUE(same_bits(captured.parameters(), direct.parameters())) << step;
  }
  EXPECT_FALSE(same_bits(captured.parameters(), before));
  EXPECT_EQ(cudaGraphExecDestroy(exec), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
}

// The workspace consists of two buffers of twelve bytes per (id, position) pair, a carry per segment of 32 pairs, and
// the scratch of the sort.
TEST_F(CudaLayers, WorkspaceGrowsWithPlacesBeyond32Bits) {
  constexpr std::int64_t kN = std::int64_t{1} << 33, kV = std::int64_t{1} << 40, kE = 64;
  const std::size_t least = 2 * kN * 12 + kN / 32 * kE * 4;
  const std::size_t bytes = embedding_workspace(handle, kN, kV, kE);
  EXPECT_GE(bytes, least);
  EXPECT_LE(bytes, least + least / 8);
  EXPECT_EQ(embedding_workspace(handle, 0, kV, kE), 0u);
  EXPECT_GE(embedding_workspace(handle, std::int64_t{1} << 58, 1, 1), std::size_t{1} << 62);
}

void expect_refusal(attn_status_t got, attn_status_t status, const std::string& message) {
  EXPECT_EQ(got, status);
  EXPECT_EQ(std::string(attn_last_error()).rfind(message, 0), 0u) << attn_last_error();
}

TEST_F(CudaLayers, RefusesAWorkspaceTooSmallOrMisaligned) {
  const std::size_t needed = embedding_workspace(handle, 50, 9, 4);
  const Buffer<std::byte> workspace(handle, needed + 64);
  const Buffer<std::int32_t> ids(handle, std::vector<std::int32_t>(50));
  const Buffer<float> d_rows(handle, 200), d_table(handle, 36);
  const auto backward = [&](std::byte* memory, std::size_t bytes) {
    return attn_embedding_backward(handle.get(), ATTN_DTYPE_FP32, 50, 9, 4, ids.data(), d_rows.data(), d_table.data(),
                                   memory, bytes);
  };
  expect_refusal(backward(workspace.data(), needed - 1), ATTN_INVALID_ARGUMENT,
                 "workspace_bytes: expected at least " + std::to_string(needed));
  expect_refusal(backward(nullptr, needed), ATTN_INVALID_ARGUMENT, "workspace: expected a pointer, got null");
  expect_refusal(backward(workspace.data() + 4, needed), ATTN_INVALID_ARGUMENT,
                 "workspace: expected a pointer aligned to 64 bytes, got one 4 bytes past");
}

#ifndef ATTN_WITH_CUDNN
TEST_F(CudaLayers, LstmAndProjectionsAreRefusedByName) {
  const char* const message = "handle: expected one of ATTN_BACKEND_CPU, the only backend of LSTM and projections";
  const attn_lstm_desc_t lstm = {sizeof lstm, ATTN_DTYPE_FP32, 1, 2, 3, 4, 2, 0};
  attn_lstm_t plan = nullptr;
  expect_refusal(attn_lstm_create(handle.get(), &lstm, &plan), ATTN_UNSUPPORTED, message);
  const attn_projected_desc_t projected = {sizeof projected, ATTN_DTYPE_FP32, 1, 1, 1, 1, 1, 1, 0};
  std::size_t bytes = 0;
  expect_refusal(attn_projected_reserve_size(handle.get(), &projected, &bytes), ATTN_UNSUPPORTED, message);
}
#endif

}  // namespace
}  // namespace attn::test
