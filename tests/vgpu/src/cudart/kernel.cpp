// SPDX-License-Identifier: Apache-2.0
#include "cudart/kernel.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "cudart/counters.h"
#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

constexpr std::size_t kRegisterUnit = 256;  // registers are allocated to warps in units of this size
constexpr std::size_t kSharedUnit = 128;

Dim3 extent_of(const dim3& d) { return {d.x, d.y, d.z}; }

std::size_t round_up(std::size_t value, std::size_t unit) { return (value + unit - 1) / unit * unit; }

bool within(const dim3& d, const int (&limits)[3]) {
  const auto fits = [](unsigned value, int limit) { return value >= 1 && value <= static_cast<unsigned>(limit); };
  return fits(d.x, limits[0]) && fits(d.y, limits[1]) && fits(d.z, limits[2]);
}

void check_shape(const Kernel& kernel, const Device& device, const LaunchShape& shape,
                 const LoadedModule::KernelInfo& info) {
  const cudaDeviceProp& properties = device.properties;
  const std::size_t threads = extent_of(shape.block).count();
  require(within(shape.grid, properties.maxGridSize), cudaErrorInvalidConfiguration);
  require(within(shape.block, properties.maxThreadsDim), cudaErrorInvalidConfiguration);
  require(threads <= kMaxThreadsPerBlock, cudaErrorInvalidConfiguration);
  require(threads <= info.max_threads, cudaErrorLaunchOutOfResources);
  const auto most_dynamic = static_cast<std::size_t>(attributes_of(kernel, device).max_dynamic_shared);
  const std::size_t most_shared = std::max(kDefaultSharedPerBlock, info.static_shared + most_dynamic);
  require(info.static_shared + shape.dynamic_shared <= most_shared);
  if (info.required_cluster && info.required_cluster->count() != 1)
    refuse("the cluster that " + kernel.name + " requires");
  if (!shape.cooperative) return;
  const int resident = resident_blocks(kernel, device, threads, shape.dynamic_shared);
  const auto most_blocks = static_cast<std::uint64_t>(resident) * device.limits.multiprocessors;
  require(extent_of(shape.grid).count() <= most_blocks, cudaErrorCooperativeLaunchTooLarge);
}

std::vector<std::byte> packed(const LoadedModule::KernelInfo& info, void* const* arguments) {
  std::vector<std::byte> bytes(info.parameter_bytes);
  for (std::size_t i = 0; i < info.parameter_sizes.size(); ++i) {
    require(arguments != nullptr && arguments[i] != nullptr);
    std::memcpy(bytes.data() + info.parameter_offsets[i], arguments[i], info.parameter_sizes[i]);
  }
  return bytes;
}

// Returns CUDA's error code. Findings that a GPU cannot report count as launch failures.
cudaError_t code_of(Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::kIllegalAddress:
      return cudaErrorIllegalAddress;
    case Finding::Kind::kMisaligned:
      return cudaErrorMisalignedAddress;
    case Finding::Kind::kAssert:
      return cudaErrorAssert;
    case Finding::Kind::kIllegalInstruction:
      return cudaErrorIllegalInstruction;
    case Finding::Kind::kStackOverflow:
      return cudaErrorHardwareStackError;
    default:
      return cudaErrorLaunchFailure;
  }
}

}  // namespace

Kernel& kernel_of(const void* function) {
  Kernel* kernel = runtime().registry.kernel(function);
  require(kernel != nullptr, cudaErrorInvalidDeviceFunction);
  return *kernel;
}

LoadedModule::KernelInfo info_of(const Kernel& kernel, const Device& device) {
  const auto module = kernel.code->module(device);
  require(module->has_kernel(kernel.name), cudaErrorInvalidDeviceFunction);
  try {
    return module->info(kernel.name);
  } catch (const ptx::Error& error) {
    say(error.what());
    fail(cudaErrorInvalidPtx);
  }
}

Kernel::Attributes attributes_of(const Kernel& kernel, const Device& device) {
  const auto found = kernel.attributes.find(device.ordinal);
  return found == kernel.attributes.end() ? Kernel::Attributes{} : found->second;
}

KernelWork prepare(const Kernel& kernel, Device& device, const LaunchShape& shape, void* const* arguments) {
  const LoadedModule::KernelInfo info = info_of(kernel, device);
  check_shape(kernel, device, shape, info);
  KernelWork work;
  work.kernel = &kernel;
  work.name = kernel.name;
  work.module = kernel.code->module(device);
  work.device = &device;
  work.grid = extent_of(shape.grid);
  work.block = extent_of(shape.block);
  work.dynamic_shared = shape.dynamic_shared;
  work.cooperative = shape.cooperative;
  work.parameters = packed(info, arguments);
  return work;
}

KernelWork prepare(const cudaKernelNodeParams* parameters, Device& device) {
  require(parameters != nullptr && parameters->extra == nullptr);
  const LaunchShape shape{parameters->gridDim, parameters->blockDim, parameters->sharedMemBytes, false};
  return prepare(kernel_of(parameters->func), device, shape, parameters->kernelParams);
}

void launch(const void* function, const LaunchShape& shape, void* const* arguments, cudaStream_t handle) {
  Stream& stream = stream_of(handle);
  require(stream.device->ordinal == current_ordinal(), cudaErrorInvalidResourceHandle);
  issue(stream, prepare(kernel_of(function), *stream.device, shape, arguments));
}

void perform_kernel(const KernelWork& work) {
  Launch launch;
  launch.module = work.module.get();
  launch.kernel = work.name;
  launch.grid = work.grid;
  launch.block = work.block;
  launch.dynamic_shared = work.dynamic_shared;
  launch.parameters = work.parameters;
  launch.cooperative = work.cooperative;
  launch.heap = &runtime().heap;
  launch.limits = work.device->limits;
  launch.options = runtime().options;
  const LaunchResult result = run(launch);

  std::fwrite(result.printed.data(), 1, result.printed.size(), stdout);
  std::fflush(stdout);
  count_launch(work, result.counters);
  if (result.finding) fail(*result.finding);
}

void fail(const Finding& finding) {
  say(finding.text());
  fail(code_of(finding.kind));
}

std::size_t registers_of(const LoadedModule::KernelInfo& info) {
  const std::size_t largest = std::min<std::size_t>(info.max_threads, kMaxThreadsPerBlock);
  const std::size_t of_warp = kRegistersPerMultiprocessor / (round_up(largest, kWarpSize) / kWarpSize);
  return std::min<std::size_t>(info.registers, of_warp / kRegisterUnit * kRegisterUnit / kWarpSize);
}

int resident_blocks(const Kernel& kernel, const Device& device, std::size_t threads, std::size_t dynamic_shared) {
  const LoadedModule::KernelInfo info = info_of(kernel, device);
  const DeviceModel& model = *device.model;
  if (threads == 0 || threads > info.max_threads || threads > kMaxThreadsPerBlock) return 0;
  const std::size_t warps = (threads + kWarpSize - 1) / kWarpSize;
  const std::size_t per_warp = round_up(registers_of(info) * kWarpSize, kRegisterUnit);
  const std::size_t shared =
      round_up(info.static_shared + dynamic_shared, kSharedUnit) + model.shared_reserved_per_block;

  std::size_t blocks = static_cast<std::size_t>(model.blocks_per_multiprocessor);
  blocks = std::min(blocks, static_cast<std::size_t>(model.threads_per_multiprocessor / kWarpSize) / warps);
  blocks = std::min(blocks, kRegistersPerMultiprocessor / (per_warp * warps));
  if (shared > 0) blocks = std::min(blocks, model.shared_per_multiprocessor / shared);
  return static_cast<int>(blocks);
}

}  // namespace vgpu::cudart
