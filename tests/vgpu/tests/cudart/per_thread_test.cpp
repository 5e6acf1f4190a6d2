// SPDX-License-Identifier: Apache-2.0
//
// Tests code that is compiled for per-thread default streams, where stream 0 means the calling thread's own stream.
#define CUDA_API_PER_THREAD_DEFAULT_STREAM 1
#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kBytes = 64;

unsigned long long id_of(cudaStream_t stream) {
  unsigned long long id = 0;
  EXPECT_EQ(cudaStreamGetId(stream, &id), cudaSuccess);
  return id;
}

TEST(PerThread, NoStreamIsTheThreadsOwn) {
  EXPECT_EQ(id_of(nullptr), id_of(cudaStreamPerThread));
  EXPECT_NE(id_of(nullptr), id_of(cudaStreamLegacy));
  unsigned long long other = 0;
  std::thread([&] { other = id_of(nullptr); }).join();
  EXPECT_NE(id_of(nullptr), other);
}

TEST(PerThread, ThreadsDoNotWaitForEachOther) {
  void *filled = nullptr, *copied = nullptr;
  ASSERT_EQ(cudaMalloc(&filled, kBytes), cudaSuccess);
  ASSERT_EQ(cudaMalloc(&copied, kBytes), cudaSuccess);
  cudaEvent_t event{};
  ASSERT_EQ(cudaEventCreate(&event), cudaSuccess);
  std::vector<char> values(kBytes, 1);
  EXPECT_EQ(cudaMemcpy(copied, values.data(), kBytes, cudaMemcpyHostToDevice), cudaSuccess);
  std::thread([&] {
    EXPECT_EQ(cudaMemsetAsync(filled, 2, kBytes, nullptr), cudaSuccess);
    EXPECT_EQ(cudaEventRecord(event, nullptr), cudaSuccess);
  }).join();
  EXPECT_EQ(cudaMemcpy(values.data(), copied, kBytes, cudaMemcpyDeviceToHost), cudaSuccess);
  // The blocking copy of this thread must not run the fill that the other thread enqueued.
  const bool on_demand = dlsym(RTLD_DEFAULT, "vgpu_is_virtual") != nullptr && std::getenv("VGPU_SEED") == nullptr;
  EXPECT_TRUE(!on_demand || cudaEventQuery(event) == cudaErrorNotReady);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(cudaEventQuery(event), cudaSuccess);
  EXPECT_EQ(cudaMemcpy(values.data(), filled, kBytes, cudaMemcpyDeviceToHost), cudaSuccess);
  EXPECT_EQ(values[0], 2);
  EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);
  EXPECT_EQ(cudaFree(filled), cudaSuccess);
  EXPECT_EQ(cudaFree(copied), cudaSuccess);
}

TEST(PerThread, TheLegacyStreamIsStillThereByName) {
  void* device = nullptr;
  ASSERT_EQ(cudaMalloc(&device, kBytes), cudaSuccess);
  std::vector<char> values(kBytes);
  EXPECT_EQ(cudaMemsetAsync(device, 3, kBytes, cudaStreamLegacy), cudaSuccess);
  EXPECT_EQ(cudaMemcpy(values.data(), device, kBytes, cudaMemcpyDeviceToHost), cudaSuccess);
  EXPECT_EQ(values[kBytes - 1], 3);  // a per-thread default stream waits for the legacy stream
  EXPECT_EQ(cudaFree(device), cudaSuccess);
}

}  // namespace
