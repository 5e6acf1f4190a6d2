// SPDX-License-Identifier: Apache-2.0
//
// Helpers for the programs that test the runtime. They are ordinary CUDA programs and run unchanged on a GPU, except
// for checks that need a deterministic device.
#pragma once

#include <cuda_runtime.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace programs {

inline bool is_virtual() { return dlsym(RTLD_DEFAULT, "vgpu_is_virtual") != nullptr; }

// On a GPU, and on the virtual GPU with a seed, work may run as soon as it is issued. Without a seed, the virtual GPU
// runs work only on demand.
inline bool runs_on_demand() {
  const char* seed = std::getenv("VGPU_SEED");
  return is_virtual() && (seed == nullptr || std::strtoull(seed, nullptr, 0) == 0);
}

static __global__ void fill(int* values, int value, int count) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < count) values[i] = value;
}

static __global__ void increment(int* values, int count) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < count) values[i] += 1;
}

constexpr int kCount = 1000;
constexpr std::size_t kBytes = kCount * sizeof(int);
constexpr int kThreads = 256;
constexpr int kBlocks = (kCount + kThreads - 1) / kThreads;

inline void launch_fill(int* values, int value, cudaStream_t stream = nullptr) {
  fill<<<kBlocks, kThreads, 0, stream>>>(values, value, kCount);
}

inline void launch_increment(int* values, cudaStream_t stream = nullptr) {
  increment<<<kBlocks, kThreads, 0, stream>>>(values, kCount);
}

// An array of integers on the device. It is freed at the end of the scope, as are the streams and events below.
class DeviceInts {
 public:
  DeviceInts() { EXPECT_EQ(cudaMalloc(&pointer_, kBytes), cudaSuccess); }
  ~DeviceInts() { cudaFree(pointer_); }
  DeviceInts(const DeviceInts&) = delete;
  DeviceInts& operator=(const DeviceInts&) = delete;
  operator int*() const { return pointer_; }

  // Returns all values after everything issued to the legacy stream has completed.
  std::vector<int> values() const {
    std::vector<int> host(kCount);
    EXPECT_EQ(cudaMemcpy(host.data(), pointer_, kBytes, cudaMemcpyDeviceToHost), cudaSuccess);
    return host;
  }

 private:
  int* pointer_ = nullptr;
};

class PinnedInts {
 public:
  PinnedInts() {
    EXPECT_EQ(cudaMallocHost(&pointer_, kBytes), cudaSuccess);
    for (int i = 0; i < kCount; ++i) pointer_[i] = -1;
  }
  ~PinnedInts() { cudaFreeHost(pointer_); }
  PinnedInts(const PinnedInts&) = delete;
  PinnedInts& operator=(const PinnedInts&) = delete;
  operator int*() const { return pointer_; }
  std::vector<int> values() const { return {pointer_, pointer_ + kCount}; }

 private:
  int* pointer_ = nullptr;
};

class Stream {
 public:
  explicit Stream(unsigned flags = cudaStreamNonBlocking) {
    EXPECT_EQ(cudaStreamCreateWithFlags(&stream_, flags), cudaSuccess);
  }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  operator cudaStream_t() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

class Event {
 public:
  explicit Event(unsigned flags = cudaEventDefault) {
    EXPECT_EQ(cudaEventCreateWithFlags(&event_, flags), cudaSuccess);
  }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  operator cudaEvent_t() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

inline std::vector<int> all(int value) { return std::vector<int>(kCount, value); }

struct Outcome {
  int status;
  std::string output;  // stdout and stderr
};

// Runs one test of this program, even a disabled one, in a child process.
inline Outcome run_alone(const std::string& test, const std::string& environment) {
  const std::string command = environment + " /proc/" + std::to_string(getpid()) +
                              "/exe --gtest_also_run_disabled_tests --gtest_filter=" + test + " 2>&1";
  std::FILE* pipe = popen(command.c_str(), "r");
  Outcome outcome{-1, ""};
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe)) outcome.output.append(buffer, count);
  const int status = pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

// Runs a test of DISABLED_Role, which is disabled so that it does not run as a test.
inline Outcome play(const std::string& role, const std::string& environment = "") {
  return run_alone("DISABLED_Role." + role, environment);
}

class Virtual : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_virtual()) GTEST_SKIP() << "this is a GPU";
  }
};

inline void expect_in(const std::string& text, const Outcome& outcome) {
  EXPECT_NE(outcome.output.find(text), std::string::npos) << "no \"" << text << "\" in: " << outcome.output;
}

// Checks the outcome of two unordered operations. Where work runs on demand, only the operation that was waited for has
// run; elsewhere each value may come from either operation.
inline void expect_unordered(const std::vector<int>& values, int on_demand, int otherwise) {
  for (const int value : values) ASSERT_TRUE(value == on_demand || (!runs_on_demand() && value == otherwise)) << value;
}

}  // namespace programs
