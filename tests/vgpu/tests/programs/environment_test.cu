// SPDX-License-Identifier: Apache-2.0
//
// Tests features of the virtual GPU: environment variables, counters and refused calls. Most tests run one of the roles
// at the end of this file in a child process.
#include <algorithm>
#include <cstdio>
#include <set>
#include <string>

#include "support.h"

namespace programs::environment_test {

class Environment : public Virtual {};

// Returns the architecture whose code such a device runs, out of those that this program is compiled for; 0 means none.
int runs(int device) {
  int best = 0;
  for (const int architecture : {__CUDA_ARCH_LIST__})
    if (architecture / 10 <= device) best = std::max(best, architecture / 10);
  return best;
}

TEST_F(Environment, TheDeviceIsTheOneThatIsChosen) {
  const auto says = [](const std::string& device, int architecture) {
    return device + " runs " + std::to_string(runs(architecture)) + "\n";
  };
  expect_in(says("1 of Virtual GPU sm_75 7.5", 75), play("tell_device", "VGPU_DEVICE=sm_75"));
  expect_in(says("1 of Virtual GPU sm_89 8.9", 89), play("tell_device", "VGPU_DEVICE=sm_89"));
  expect_in(says("3 of Virtual GPU sm_120 12.0", 120), play("tell_device", "VGPU_DEVICE=sm_120 VGPU_DEVICES=3"));
  expect_in(says("1 of Virtual GPU sm_90 9.0", 90), play("tell_device", "VGPU_DEVICE="));
}

TEST_F(Environment, AnUnknownDeviceIsRefused) {
  const Outcome outcome = play("tell_device", "VGPU_DEVICE=sm_70");
  EXPECT_NE(outcome.status, 0);
  expect_in("got sm_70", outcome);
}

TEST_F(Environment, AnUnknownNumberOfDevicesIsRefused) {
  const Outcome outcome = play("tell_device", "VGPU_DEVICES=two");
  EXPECT_NE(outcome.status, 0);
  expect_in("got two", outcome);
}

TEST_F(Environment, ThereMayBeNoDevice) { EXPECT_EQ(play("find_no_device", "VGPU_DEVICES=0").status, 0); }

TEST_F(Environment, SeveralDevicesHaveStreamsAndMemoryOfTheirOwn) {
  const Outcome outcome = play("use_two_devices", "VGPU_DEVICES=2");
  EXPECT_EQ(outcome.status, 0) << outcome.output;
}

TEST_F(Environment, EachLaunchWritesItsCounters) {
  const Outcome outcome = play("fill", "VGPU_COUNTERS=-");
  for (const char* what :
       {"fill", "\"grid\": [4, 1, 1], \"block\": [256, 1, 1]", "\"global_store_bytes\": 4000,", "\"blocks\": 4,"})
    expect_in(what, outcome);
}

TEST_F(Environment, CountersCanBeReadInTheProgram) {
  const auto reset = reinterpret_cast<void (*)()>(dlsym(RTLD_DEFAULT, "vgpu_counters_reset"));
  const auto json = reinterpret_cast<const char* (*)()>(dlsym(RTLD_DEFAULT, "vgpu_counters_json"));
  ASSERT_TRUE(reset != nullptr && json != nullptr);
  const DeviceInts device;
  reset();
  launch_fill(device, 1);
  launch_fill(device, 2);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  const std::string text = json();
  EXPECT_NE(text.find("{\"launches\": 2,"), std::string::npos) << text;
  EXPECT_NE(text.find("\"global_store_bytes\": 8000,"), std::string::npos) << text;
}

TEST_F(Environment, SeedsBringOutBothOutcomesOfAMissingWait) {
  std::set<int> outcomes;
  for (int seed = 0; seed < 12; ++seed) {
    const std::string output = play("miss_a_wait", "VGPU_SEED=" + std::to_string(seed)).output;
    const std::size_t at = output.find("outcome ");
    ASSERT_NE(at, std::string::npos) << output;
    outcomes.insert(output[at + 8] - '0');
  }
  EXPECT_EQ(outcomes, (std::set<int>{1, 2}));
}

TEST_F(Environment, WhatNothingWroteIsNoNumberOnTheHost) {
  float* pointer = nullptr;
  EXPECT_EQ(cudaMalloc(&pointer, 8), cudaSuccess);
  EXPECT_EQ(cudaMemset(pointer, 0, 4), cudaSuccess);
  float host[2] = {1, 1};
  EXPECT_EQ(cudaMemcpy(host, pointer, 8, cudaMemcpyDeviceToHost), cudaSuccess);
  EXPECT_EQ(host[0], 0.f);
  EXPECT_NE(host[1], host[1]);
  EXPECT_EQ(cudaFree(pointer), cudaSuccess);
}

TEST_F(Environment, ClustersAreRefusedByName) {
  const DeviceInts device;
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim = {2, 1, 1};
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(kBlocks);
  config.blockDim = dim3(kThreads);
  config.attrs = &attribute;
  config.numAttrs = 1;
  testing::internal::CaptureStderr();
  EXPECT_EQ(cudaLaunchKernelEx(&config, fill, static_cast<int*>(device), 13, int{kCount}), cudaErrorNotSupported);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("clusters"), std::string::npos);
  EXPECT_EQ(cudaGetLastError(), cudaErrorNotSupported);
}

TEST_F(Environment, WhatIsNotModelledIsRefusedByName) {
  cudaArray_t array = nullptr;
  const cudaChannelFormatDesc format = cudaCreateChannelDesc<float>();
  testing::internal::CaptureStderr();
  // A program that refers to the function by name would not load.
  const auto allocate =
      reinterpret_cast<cudaError_t (*)(cudaArray_t*, const cudaChannelFormatDesc*, std::size_t, std::size_t, unsigned)>(
          dlsym(RTLD_DEFAULT, "cudaMallocArray"));
  ASSERT_NE(allocate, nullptr);
  EXPECT_EQ(allocate(&array, &format, 4, 0, 0), cudaErrorNotSupported);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("cudaMallocArray"), std::string::npos);
  EXPECT_EQ(cudaGetLastError(), cudaErrorNotSupported);
}

// Roles for child processes. They are disabled, so that they do not run as tests.

__global__ void tell_architecture(int* value) {
#ifdef __CUDA_ARCH__
  *value = __CUDA_ARCH__ / 10;
#endif
}

TEST(DISABLED_Role, tell_device) {
  int devices = 0;
  cudaDeviceProp properties{};
  const DeviceInts value;
  EXPECT_EQ(cudaGetDeviceCount(&devices), cudaSuccess);
  EXPECT_EQ(cudaGetDeviceProperties(&properties, devices - 1), cudaSuccess);
  int architecture = 0;
  tell_architecture<<<1, 1>>>(value);
  const cudaError_t error = cudaGetLastError();
  EXPECT_TRUE(error == cudaSuccess || error == cudaErrorNoKernelImageForDevice) << error;
  if (error == cudaSuccess)
    EXPECT_EQ(cudaMemcpy(&architecture, value, sizeof architecture, cudaMemcpyDeviceToHost), cudaSuccess);
  std::printf("%d of %s %d.%d runs %d\n", devices, properties.name, properties.major, properties.minor, architecture);
}

TEST(DISABLED_Role, find_no_device) {
  int devices = -1;
  void* pointer = nullptr;
  EXPECT_EQ(cudaGetDeviceCount(&devices), cudaErrorNoDevice);
  EXPECT_EQ(devices, 0);
  EXPECT_EQ(cudaMalloc(&pointer, 4), cudaErrorNoDevice);
}

// Objects belong to one device, and copies between devices work.
TEST(DISABLED_Role, use_two_devices) {
  const DeviceInts first;
  const Stream stream;
  launch_fill(first, 5, stream);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(cudaSetDevice(1), cudaSuccess);
  std::size_t free = 0, total = 0;
  EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  EXPECT_EQ(free, total);
  const DeviceInts second;
  launch_fill(second, 1, stream);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidResourceHandle);
  const Event event;
  EXPECT_EQ(cudaEventRecord(event, stream), cudaErrorInvalidResourceHandle);
  int can = 0;
  EXPECT_EQ(cudaDeviceCanAccessPeer(&can, 0, 1), cudaSuccess);
  EXPECT_EQ(can, 1);
  EXPECT_EQ(cudaDeviceEnablePeerAccess(1, 0), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaDeviceEnablePeerAccess(0, 0), cudaSuccess);
  EXPECT_EQ(cudaDeviceEnablePeerAccess(0, 0), cudaErrorPeerAccessAlreadyEnabled);
  EXPECT_EQ(cudaMemcpyPeer(second, 1, first, 0, kBytes), cudaSuccess);
  launch_increment(second);
  EXPECT_EQ(second.values(), all(6));
  EXPECT_EQ(first.values(), all(5));
  cudaPointerAttributes attributes{};
  EXPECT_EQ(cudaPointerGetAttributes(&attributes, second), cudaSuccess);
  EXPECT_EQ(attributes.device, 1);
}

TEST(DISABLED_Role, fill) {
  const DeviceInts device;
  launch_fill(device, 1);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
}

// The second stream should have waited for the first, but does not.
TEST(DISABLED_Role, miss_a_wait) {
  const Stream first, second;
  const DeviceInts device;
  const PinnedInts host;
  launch_fill(device, 1, second);
  EXPECT_EQ(cudaStreamSynchronize(second), cudaSuccess);
  launch_fill(device, 2, first);
  EXPECT_EQ(cudaMemcpyAsync(host, device, kBytes, cudaMemcpyDeviceToHost, second), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(second), cudaSuccess);
  std::printf("outcome %d\n", host[0]);
}

}  // namespace programs::environment_test
