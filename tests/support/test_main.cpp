// SPDX-License-Identifier: Apache-2.0
//
// The main function of every test program. It prints the CUDA device that the tests ran on, and fails if the process
// has loaded a real CUDA library together with a stand-in. With ATTN_REQUIRE_GPU=1 it also fails unless the device is
// real, no case is skipped, and as many cases run on CUDA as on the CPU.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#ifdef ATTN_WITH_CUDA
#include <cuda_runtime_api.h>
#include <dlfcn.h>
#endif

namespace {

struct Device {
  std::string text;
  bool real;
};

Device cuda_device() {
#ifdef ATTN_WITH_CUDA
  cudaDeviceProp properties{};
  const cudaError_t error = cudaGetDeviceProperties(&properties, 0);
  if (error != cudaSuccess) return {std::string("none: ") + cudaGetErrorString(error), false};
  if (dlsym(RTLD_DEFAULT, "vgpu_is_virtual") == nullptr) return {properties.name, true};
  return {std::string(properties.name) + ", which is the CPU", false};
#else
  return {"none in this build", false};
#endif
}

// The path of a CUDA library in this process that is not one of the stand-ins, all of which lie in one folder; empty if
// there is none.
std::string stray_library() {
#ifdef ATTN_WITH_CUDA
  Dl_info info{};
  void* const mark = dlsym(RTLD_DEFAULT, "vgpu_is_virtual");
  if (mark == nullptr || dladdr(mark, &info) == 0) return "";
  const std::string folder = std::filesystem::canonical(info.dli_fname).parent_path().string() + "/";
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const std::size_t path = line.find('/');
    if (path == std::string::npos) continue;
    const std::string file = line.substr(path);
    const std::string name = file.substr(file.rfind('/') + 1);
    for (const char* library : {"libcuda.so", "libcudart.so", "libcublas", "libcudnn", "libnccl"})
      if (name.rfind(library, 0) == 0 && file.rfind(folder, 0) != 0) return file;
  }
#endif
  return "";
}

// The number of this program's cases that run on a backend. Their names contain it: Suite.Test/cuda_...
int cases_on(const std::string& backend) {
  int count = 0;
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i)
    for (int j = 0; j < all.GetTestSuite(i)->total_test_count(); ++j)
      if (std::string(all.GetTestSuite(i)->GetTestInfo(j)->name()).find("/" + backend) != std::string::npos) ++count;
  return count;
}

// Fails the program for each case that was skipped.
class NothingSkipped : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo& info) override {
    if (info.result()->Skipped()) ++skipped_;
  }
  void OnTestProgramEnd(const testing::UnitTest& all) override {
    if (skipped_ > 0) std::printf("ATTN_REQUIRE_GPU: %d cases were skipped\n", skipped_);
    if (all.test_to_run_count() == 0) std::printf("ATTN_REQUIRE_GPU: no case was run\n");
    if (skipped_ > 0 || all.test_to_run_count() == 0) std::exit(1);
  }

  int skipped_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const char* required = std::getenv("ATTN_REQUIRE_GPU");
  if (!testing::GTEST_FLAG(list_tests)) {
    const Device device = cuda_device();
    std::printf("CUDA device: %s\n", device.text.c_str());
    std::fflush(stdout);
    if (required != nullptr && std::string(required) == "1") {
      if (!device.real) {
        std::printf("ATTN_REQUIRE_GPU: expected a GPU, got %s\n", device.text.c_str());
        return 1;
      }
      if (cases_on("cuda") != cases_on("cpu")) {
        std::printf("ATTN_REQUIRE_GPU: expected as many cases on CUDA as on the CPU, %d, got %d\n", cases_on("cpu"),
                    cases_on("cuda"));
        return 1;
      }
      testing::UnitTest::GetInstance()->listeners().Append(new NothingSkipped);
    }
  }
  const int status = RUN_ALL_TESTS();
  const std::string stray = stray_library();
  if (stray.empty()) return status;
  std::printf("CUDA libraries: expected the stand-ins alone, got also %s\n", stray.c_str());
  return 1;
}
