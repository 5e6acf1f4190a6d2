// SPDX-License-Identifier: Apache-2.0
#include "bench/gpu.h"

#include <dlfcn.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace attn::bench {
namespace {

void require(cudaError_t error, const char* call) {
  if (error != cudaSuccess) throw std::runtime_error(std::string(call) + ": " + cudaGetErrorString(error));
}

double attribute(cudaDeviceAttr attribute) {
  int value = 0;
  require(cudaDeviceGetAttribute(&value, attribute, 0), "cudaDeviceGetAttribute");
  return value;
}

// Looks up a function that only the runtime of the virtual GPU exports.
template <class Function>
Function* of_virtual_gpu(const char* name) {
  void* const found = dlsym(RTLD_DEFAULT, name);
  if (found == nullptr) throw std::runtime_error(std::string("no ") + name + " in this process");
  return reinterpret_cast<Function*>(found);
}

}  // namespace

Gpu::Gpu() {
  cudaDeviceProp properties{};
  require(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  name_ = properties.name;
  peak_ = peak_of({attribute(cudaDevAttrMemoryClockRate), attribute(cudaDevAttrGlobalMemoryBusWidth),
                   attribute(cudaDevAttrClockRate), attribute(cudaDevAttrMultiProcessorCount)});
  other_bytes_ = 2 * static_cast<std::size_t>(properties.l2CacheSize);
  require(cudaMalloc(&other_, other_bytes_), "cudaMalloc");
  require(cudaEventCreate(&start_), "cudaEventCreate");
  require(cudaEventCreate(&stop_), "cudaEventCreate");
}

Gpu::~Gpu() {
  cudaEventDestroy(stop_);
  cudaEventDestroy(start_);
  cudaFree(other_);
}

double Gpu::seconds(Call& call, Cache cache) {
  // Besides flushing the cache, this keeps the GPU busy while the host enqueues the rest, so that the measured time
  // excludes waits for the host.
  require(cudaMemsetAsync(other_, 0, other_bytes_, nullptr), "cudaMemsetAsync");
  if (cache == Cache::warm) call.run();
  require(cudaEventRecord(start_, nullptr), "cudaEventRecord");
  call.run();
  require(cudaEventRecord(stop_, nullptr), "cudaEventRecord");
  require(cudaEventSynchronize(stop_), "cudaEventSynchronize");
  float milliseconds = 0;
  require(cudaEventElapsedTime(&milliseconds, start_, stop_), "cudaEventElapsedTime");
  return 1e-3 * static_cast<double>(milliseconds);
}

std::map<std::string, double> Gpu::counts(Call& call) {
  require(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  of_virtual_gpu<void()>("vgpu_counters_reset")();
  call.run();
  require(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  const nlohmann::json json = nlohmann::json::parse(of_virtual_gpu<const char*()>("vgpu_counters_json")());
  std::map<std::string, double> counts;
  for (const auto& [name, value] : json.items())
    if (value.is_number()) counts[name] = value;
  for (const auto& [pipe, value] : json["warp_instructions"].items()) counts["warp_" + pipe] = value;
  return counts;
}

}  // namespace attn::bench
