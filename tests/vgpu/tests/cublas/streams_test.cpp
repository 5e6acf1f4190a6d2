// SPDX-License-Identifier: Apache-2.0
//
// Tests products in streams and graphs, the memory checks on them, and calls that are made to fail.
#include <cstdlib>
#include <string>

#include "light.h"

namespace blas {
namespace {

constexpr int kSize = 4;
constexpr std::size_t kCount = kSize * kSize;

class Streams : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_virtual()) GTEST_SKIP() << "a GPU does not wait to be asked, nor find faults";
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess);
    ASSERT_EQ(cublasCreate(&handle_), CUBLAS_STATUS_SUCCESS);
    ASSERT_EQ(cudaMalloc(&workspace_, Workspace::kBytes), cudaSuccess);
    ASSERT_EQ(cublasSetStream(handle_, stream_), CUBLAS_STATUS_SUCCESS);
    ASSERT_EQ(cublasSetWorkspace(handle_, workspace_, Workspace::kBytes), CUBLAS_STATUS_SUCCESS);
  }
  // An error is sticky, so the device must be reset before the next test.
  void TearDown() override {
    if (handle_ == nullptr) return;
    cudaDeviceReset();
    cublasDestroy(handle_);
  }

  static float* ones() { return filled(1); }
  static float* filled(float value) {
    float* data = nullptr;
    EXPECT_EQ(cudaMalloc(reinterpret_cast<void**>(&data), kCount * sizeof(float)), cudaSuccess);
    const std::vector<float> values(kCount, value);
    EXPECT_EQ(cudaMemcpy(data, values.data(), kCount * sizeof(float), cudaMemcpyHostToDevice), cudaSuccess);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    return data;
  }
  cublasStatus_t product(const float* a, const float* b, float* c, float beta = 0) {
    const float alpha = 1;
    return cublasSgemm(handle_, CUBLAS_OP_N, CUBLAS_OP_N, kSize, kSize, kSize, &alpha, a, kSize, b, kSize, &beta, c,
                       kSize);
  }
  static float first(const float* data) {
    float value = 0;
    EXPECT_EQ(cudaMemcpy(&value, data, sizeof value, cudaMemcpyDeviceToHost), cudaSuccess);
    return value;
  }
  void expect_finding(const std::vector<std::string>& words) {
    testing::internal::CaptureStderr();
    EXPECT_NE(cudaStreamSynchronize(stream_), cudaSuccess);
    const std::string said = testing::internal::GetCapturedStderr();
    for (const std::string& word : words)
      EXPECT_NE(said.find(word), std::string::npos) << word << " is not in " << said;
  }

  cudaStream_t stream_ = nullptr;
  cublasHandle_t handle_ = nullptr;
  void* workspace_ = nullptr;
};

TEST_F(Streams, ProductsRunInTheOrderOfTheirStream) {
  float* a = ones();
  float* c = filled(-1);
  EXPECT_EQ(product(a, a, c), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(product(c, c, a), CUBLAS_STATUS_SUCCESS);
  if (std::getenv("VGPU_SEED") == nullptr) {
    EXPECT_EQ(cudaStreamQuery(stream_), cudaErrorNotReady) << "nothing has waited for the stream";
  }
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(first(c), 4);
  EXPECT_EQ(first(a), 64);
}

TEST_F(Streams, ProductsAreCapturedAndReplayed) {
  float* a = ones();
  float* c = filled(0);
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  ASSERT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeGlobal), cudaSuccess);
  EXPECT_EQ(product(a, a, c, 1), CUBLAS_STATUS_SUCCESS);
  ASSERT_EQ(cudaStreamEndCapture(stream_, &graph), cudaSuccess);
  ASSERT_EQ(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(cudaGraphLaunch(exec, stream_), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(first(c), 12);
  EXPECT_EQ(cudaGraphExecDestroy(exec), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
}

TEST_F(Streams, ACaptureNeedsAWorkspaceOfTheProgram) {
  float* a = ones();
  float* c = filled(0);
  ASSERT_EQ(cublasSetStream(handle_, stream_), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(product(a, a, c), CUBLAS_STATUS_SUCCESS);
  ASSERT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeGlobal), cudaSuccess);
  testing::internal::CaptureStderr();
  EXPECT_EQ(product(a, a, c), CUBLAS_STATUS_NOT_SUPPORTED);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("cublasSgemm in a capture"), std::string::npos) << said;
}

TEST_F(Streams, LaunchesAreCountedByName) {
  float* a = ones();
  float* c = filled(0);
  find_vgpu<decltype(vgpu_counters_reset)>("vgpu_counters_reset")();
  EXPECT_EQ(product(a, a, c), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(find_vgpu<decltype(vgpu_launches)>("vgpu_launches")("cublasSgemm"), 1u);
}

TEST_F(Streams, AFactorThatNothingHasWritten) {
  float *fresh = nullptr, *c = filled(0);
  ASSERT_EQ(cudaMalloc(reinterpret_cast<void**>(&fresh), kCount * sizeof(float)), cudaSuccess);
  EXPECT_EQ(product(fresh, fresh, c), CUBLAS_STATUS_SUCCESS);
  expect_finding({"uninitialised memory: read of 64 bytes", "in kernel cublasSgemm"});
}

TEST_F(Streams, ASummandThatNothingHasWritten) {
  float *a = ones(), *fresh = nullptr;
  ASSERT_EQ(cudaMalloc(reinterpret_cast<void**>(&fresh), kCount * sizeof(float)), cudaSuccess);
  EXPECT_EQ(product(a, a, fresh, 1), CUBLAS_STATUS_SUCCESS);
  expect_finding({"uninitialised memory: update of 64 bytes", "in kernel cublasSgemm"});
}

TEST_F(Streams, AResultThatIsAFactor) {
  float* a = ones();
  EXPECT_EQ(product(a, ones(), a), CUBLAS_STATUS_SUCCESS);
  expect_finding({"race: ", "in kernel cublasSgemm"});
}

TEST_F(Streams, AMatrixThatEndsEarly) {
  float* a = ones();
  EXPECT_EQ(product(a + 1, ones(), filled(0)), CUBLAS_STATUS_SUCCESS);
  expect_finding({"illegal address: read of 64 bytes", "whose last 4 bytes lie past the end of allocation"});
}

// A column block of a matrix is written, while the elements between its columns must not change.
TEST_F(Streams, NeighboursMayShareLines) {
  float* wide = ones();
  float* other = ones();
  const float alpha = 3, beta = 0;
  EXPECT_EQ(cublasSgemm(handle_, CUBLAS_OP_N, CUBLAS_OP_N, 2, 4, 4, &alpha, wide, 4, other, 4, &beta, wide + 2, 4),
            CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(first(wide), 1);
  EXPECT_EQ(first(wide + 2), 12);
}

TEST_F(Streams, NothingStaysInAWorkspace) {
  float* a = ones();
  const float value = 7;
  ASSERT_EQ(cudaMemcpy(workspace_, &value, sizeof value, cudaMemcpyHostToDevice), cudaSuccess);
  ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(product(a, a, filled(0)), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_NE(first(static_cast<const float*>(workspace_)), value);
}

TEST_F(Streams, CallsAreLetFail) {
  auto* fail_call = find_vgpu<decltype(vgpu_fail_call)>("vgpu_fail_call");
  float* a = ones();
  float* c = filled(-1);
  fail_call(1);
  EXPECT_EQ(product(a, a, c), CUBLAS_STATUS_EXECUTION_FAILED);
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(first(c), -1);
  cublasHandle_t handle = nullptr;
  for (const auto& [call, status] : {std::pair(1, CUBLAS_STATUS_NOT_INITIALIZED), {2, CUBLAS_STATUS_ALLOC_FAILED}}) {
    fail_call(static_cast<unsigned long long>(call));
    EXPECT_EQ(cublasCreate(&handle), status);
    EXPECT_EQ(handle, nullptr);
  }
  cublasLtMatmulDesc_t operation = nullptr;
  fail_call(1);
  EXPECT_EQ(cublasLtMatmulDescCreate(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F), CUBLAS_STATUS_ALLOC_FAILED);
  EXPECT_EQ(operation, nullptr);
  fail_call(0);
}

}  // namespace
}  // namespace blas
