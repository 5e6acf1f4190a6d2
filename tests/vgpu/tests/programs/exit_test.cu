// SPDX-License-Identifier: Apache-2.0
//
// Tests the end of a process: leaks, and static objects that still use the device.
#include "support.h"

namespace programs::exit_test {

class AtExit : public Virtual {};

TEST_F(AtExit, StaticObjectsMayStillUseTheDevice) {
  const Outcome outcome = play("use_it_at_the_end");
  EXPECT_EQ(outcome.status, 0);
  expect_in("value 3", outcome);
}

TEST_F(AtExit, LeaksAreListedOnRequest) {
  EXPECT_EQ(play("leak").status, 0);
  const Outcome leaking = play("leak", "VGPU_LEAKS=1");
  EXPECT_EQ(leaking.status, 3);
  for (const char* what : {"device memory, 4000 bytes", "pinned host memory, 12 bytes", "1 of streams", "1 of events"})
    expect_in(what, leaking);
  const Outcome clean = play("leave_clean", "VGPU_LEAKS=1");
  EXPECT_EQ(clean.status, 0) << clean.output;
  EXPECT_EQ(clean.output.find("leak:"), std::string::npos) << clean.output;
}

TEST_F(AtExit, AFailureIsNotHiddenByLeaks) {
  const Outcome outcome = play("leak_and_fail", "VGPU_LEAKS=1");
  EXPECT_EQ(outcome.status, 1);
  expect_in("leak:", outcome);
}

// Roles for child processes.

class Late {
 public:
  ~Late() {
    int* values = nullptr;
    cudaStream_t stream = nullptr;
    if (!used_ || cudaMallocHost(&values, kBytes) != cudaSuccess || cudaStreamCreate(&stream) != cudaSuccess) return;
    launch_fill(values, 2, stream);
    cudaLaunchHostFunc(
        stream, [](void* argument) { ++*static_cast<int*>(argument); }, values);
    cudaStreamSynchronize(stream);
    std::printf("value %d\n", *values);
    cudaStreamDestroy(stream);
    cudaFreeHost(values);
  }
  void use() { used_ = true; }

 private:
  bool used_ = false;
} late;

TEST(DISABLED_Role, use_it_at_the_end) { late.use(); }

void leak() {
  int* device = nullptr;
  void* pinned = nullptr;
  cudaStream_t stream = nullptr;
  cudaEvent_t event = nullptr;
  EXPECT_EQ(cudaMalloc(&device, kBytes), cudaSuccess);
  EXPECT_EQ(cudaMallocHost(&pinned, 12), cudaSuccess);
  EXPECT_EQ(cudaStreamCreate(&stream), cudaSuccess);
  EXPECT_EQ(cudaEventCreate(&event), cudaSuccess);
}

TEST(DISABLED_Role, leak) { leak(); }

TEST(DISABLED_Role, leak_and_fail) {
  leak();
  ADD_FAILURE() << "on purpose";
}

// Frees memory in every way. The last one is enqueued work that the program does not wait for.
TEST(DISABLED_Role, leave_clean) {
  const DeviceInts device;
  launch_fill(device, 1);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  int* pooled = nullptr;
  EXPECT_EQ(cudaMallocAsync(&pooled, kBytes, nullptr), cudaSuccess);
  EXPECT_EQ(cudaFreeAsync(pooled, nullptr), cudaSuccess);
}

}  // namespace programs::exit_test
