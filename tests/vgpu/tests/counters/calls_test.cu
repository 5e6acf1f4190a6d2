// SPDX-License-Identifier: Apache-2.0
//
// Tests the counts of calls that wait for the device, of calls that allocate memory, and of launches by kernel name.
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include "programs/issued.h"

namespace calls_test {

constexpr std::size_t kBytes = 4096;

using Count = unsigned long long(void);

class Calls : public testing::Test {
 protected:
  void SetUp() override {
    if (find_vgpu<decltype(vgpu_is_virtual)>("vgpu_is_virtual") == nullptr) GTEST_SKIP() << "a GPU counts no calls";
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess);
    ASSERT_EQ(cudaMalloc(&device_, kBytes), cudaSuccess);
    ASSERT_EQ(cudaMalloc(&other_, kBytes), cudaSuccess);
    ASSERT_EQ(cudaMallocHost(&pinned_, kBytes), cudaSuccess);
    ASSERT_EQ(cudaEventCreate(&event_), cudaSuccess);
    ASSERT_EQ(cudaMemset(device_, 0, kBytes), cudaSuccess);
    ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  }
  void TearDown() override { cudaDeviceReset(); }

  template <class Call>
  static void expect_count(const char* counter, unsigned long long expected, Call call) {
    Count* count = find_vgpu<Count>(counter);
    ASSERT_NE(count, nullptr);
    const unsigned long long before = count();
    EXPECT_EQ(call(), cudaSuccess);
    EXPECT_EQ(count() - before, expected);
  }
  template <class Call>
  static void expect_waits(unsigned long long expected, Call call) {
    expect_count("vgpu_synchronizations", expected, call);
  }
  template <class Call>
  static void expect_allocations(unsigned long long expected, Call call) {
    expect_count("vgpu_allocations", expected, call);
  }

  cudaStream_t stream_ = nullptr;
  cudaEvent_t event_ = nullptr;
  char *device_ = nullptr, *other_ = nullptr, *pinned_ = nullptr;
  char pageable_[kBytes] = {};
};

TEST_F(Calls, SynchronisationWaits) {
  expect_waits(1, [&] { return cudaStreamSynchronize(stream_); });
  expect_waits(1, [] { return cudaDeviceSynchronize(); });
  ASSERT_EQ(cudaEventRecord(event_, stream_), cudaSuccess);
  expect_waits(1, [&] { return cudaEventSynchronize(event_); });
  expect_waits(0, [&] { return cudaEventQuery(event_); });
  expect_waits(0, [&] { return cudaStreamWaitEvent(stream_, event_, 0); });
}

TEST_F(Calls, BlockingCopiesWaitButForThoseWithinTheDevice) {
  expect_waits(1, [&] { return cudaMemcpy(pageable_, device_, kBytes, cudaMemcpyDeviceToHost); });
  expect_waits(1, [&] { return cudaMemcpy(pinned_, device_, kBytes, cudaMemcpyDeviceToHost); });
  expect_waits(1, [&] { return cudaMemcpy(device_, pageable_, kBytes, cudaMemcpyHostToDevice); });
  expect_waits(0, [&] { return cudaMemcpy(other_, device_, kBytes, cudaMemcpyDeviceToDevice); });
  expect_waits(0, [&] { return cudaMemset(device_, 0, kBytes); });
  expect_waits(1, [&] { return cudaMemset(pinned_, 0, kBytes); });
}

TEST_F(Calls, OtherCopiesWaitWhereTheyEndInPageableMemory) {
  expect_waits(0, [&] { return cudaMemcpyAsync(pinned_, device_, kBytes, cudaMemcpyDeviceToHost, stream_); });
  expect_waits(0, [&] { return cudaMemcpyAsync(device_, pinned_, kBytes, cudaMemcpyHostToDevice, stream_); });
  expect_waits(1, [&] { return cudaMemcpyAsync(pageable_, device_, kBytes, cudaMemcpyDeviceToHost, stream_); });
}

TEST_F(Calls, ToFreeMemoryIsToWait) {
  expect_waits(1, [&] { return cudaFree(device_); });
  expect_waits(1, [&] { return cudaFreeHost(pinned_); });
  expect_waits(0, [] { return cudaFree(nullptr); });
  void* pooled = nullptr;
  expect_waits(0, [&] { return cudaMallocAsync(&pooled, kBytes, stream_); });
  expect_waits(0, [&] { return cudaFreeAsync(pooled, stream_); });
}

TEST_F(Calls, Allocations) {
  void* memory = nullptr;
  expect_allocations(1, [&] { return cudaMalloc(&memory, kBytes); });
  expect_allocations(1, [&] { return cudaMallocHost(&memory, kBytes); });
  expect_allocations(1, [&] { return cudaMallocManaged(&memory, kBytes); });
  expect_allocations(1, [&] { return cudaMallocAsync(&memory, kBytes, stream_); });
  expect_allocations(0, [&] { return cudaFreeAsync(memory, stream_); });
  expect_allocations(0, [&] { return cudaMalloc(&memory, 0); });
  expect_allocations(0, [&] { return cudaMemsetAsync(device_, 0, kBytes, stream_); });
}

__global__ void empty() {}

TEST_F(Calls, LaunchesByName) {
  find_vgpu<decltype(vgpu_counters_reset)>("vgpu_counters_reset")();
  auto* launches = find_vgpu<decltype(vgpu_launches)>("vgpu_launches");
  const char* name = nullptr;
  ASSERT_EQ(cudaFuncGetName(&name, reinterpret_cast<const void*>(empty)), cudaSuccess);
  int released = 0;
  empty<<<1, 1, 0, stream_>>>();
  empty<<<1, 1, 0, stream_>>>();
  EXPECT_EQ(programs::issue_addition(reinterpret_cast<int*>(device_), 1, 1, stream_, released), cudaSuccess);
  EXPECT_EQ(launches(nullptr), 0u) << "they have not run yet";
  ASSERT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(launches(name), 2u);
  EXPECT_EQ(launches("addition"), 1u);
  EXPECT_EQ(launches("another"), 0u);
  EXPECT_EQ(launches(nullptr), 3u);
}

}  // namespace calls_test
