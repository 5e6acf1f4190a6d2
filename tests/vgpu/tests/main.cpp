// SPDX-License-Identifier: Apache-2.0
//
// The main function of every test that is a CUDA program. It prints the device that the tests run on. It fails if that
// is not the device the tests were built for, or if a real CUDA library is loaded together with a stand-in.
#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

#ifdef VGPU_TEST_ON_GPU
constexpr bool kExpectVirtual = false;
#else
constexpr bool kExpectVirtual = true;
#endif

// Returns the path of a CUDA library in this process that is not in the folder of the stand-ins, or an empty string if
// there is none.
std::string real_library() {
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
    for (const char* library : {"libcuda.so", "libcudart.so", "libcublas", "libcudnn"})
      if (name.rfind(library, 0) == 0 && file.rfind(folder, 0) != 0) return file;
  }
  return "";
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (!testing::GTEST_FLAG(list_tests)) {
    cudaDeviceProp properties{};
    const cudaError_t error = cudaGetDeviceProperties(&properties, 0);
    const std::string device = error == cudaSuccess ? properties.name : cudaGetErrorString(error);
    std::printf("CUDA device: %s\n", device.c_str());
    std::fflush(stdout);
    const bool is_virtual = dlsym(RTLD_DEFAULT, "vgpu_is_virtual") != nullptr;
    if (is_virtual != kExpectVirtual || (!kExpectVirtual && error != cudaSuccess)) {
      std::printf("device 0: expected a %s GPU, got %s\n", kExpectVirtual ? "virtual" : "real", device.c_str());
      return 1;
    }
  }
  const int status = RUN_ALL_TESTS();
  const std::string real = real_library();
  if (real.empty()) return status;
  std::printf("CUDA libraries: expected only the stand-ins, got %s\n", real.c_str());
  return 1;
}
