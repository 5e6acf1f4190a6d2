// SPDX-License-Identifier: Apache-2.0
//
// Kernel launches, and attributes of kernels.
#include <algorithm>
#include <string>

#include "cudart/kernel.h"
#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

bool is_one_block(const dim3& cluster) { return cluster.x == 1 && cluster.y == 1 && cluster.z == 1; }

// Attributes that are hints are accepted and have no effect.
void apply(const cudaLaunchAttribute& attribute, LaunchShape& shape) {
  switch (attribute.id) {
    case cudaLaunchAttributeIgnore:
    case cudaLaunchAttributeAccessPolicyWindow:
    case cudaLaunchAttributeSynchronizationPolicy:
    case cudaLaunchAttributePriority:
    case cudaLaunchAttributeMemSyncDomain:
    case cudaLaunchAttributeMemSyncDomainMap:
    case cudaLaunchAttributePreferredSharedMemoryCarveout:
    case cudaLaunchAttributeClusterSchedulingPolicyPreference:
    // Allows a kernel to start before the previous one has ended; here kernels never overlap.
    case cudaLaunchAttributeProgrammaticStreamSerialization:
      return;
    case cudaLaunchAttributeCooperative:
      shape.cooperative = attribute.val.cooperative != 0;
      return;
    case cudaLaunchAttributeClusterDimension: {
      const auto& dim = attribute.val.clusterDim;
      if (!is_one_block({dim.x, dim.y, dim.z})) refuse("a launch with clusters of more than one block");
      return;
    }
    default:
      refuse("launch attribute " + std::to_string(attribute.id));
  }
}

void set_dynamic_shared(const Kernel& kernel, const Device& device, Kernel::Attributes& attributes, int bytes) {
  const std::size_t taken = info_of(kernel, device).static_shared;
  require(bytes >= 0 && taken + static_cast<std::size_t>(bytes) <= device.model->shared_per_block_optin);
  attributes.max_dynamic_shared = bytes;
}

void set_attribute(Kernel& kernel, const Device& device, cudaFuncAttribute attribute, int value) {
  Kernel::Attributes attributes = attributes_of(kernel, device);
  switch (attribute) {
    case cudaFuncAttributeMaxDynamicSharedMemorySize:
      set_dynamic_shared(kernel, device, attributes, value);
      break;
    case cudaFuncAttributePreferredSharedMemoryCarveout:
      require(value >= -1 && value <= 100);
      attributes.carveout = value;
      break;
    case cudaFuncAttributeNonPortableClusterSizeAllowed:
    case cudaFuncAttributeClusterSchedulingPolicyPreference:
      return;
    default:
      refuse("function attribute " + std::to_string(attribute));
  }
  kernel.attributes[device.ordinal] = attributes;
}

cudaFuncAttributes described(const Kernel& kernel, const Device& device) {
  const LoadedModule::KernelInfo info = info_of(kernel, device);
  const Kernel::Attributes set = attributes_of(kernel, device);
  cudaFuncAttributes all{};
  all.sharedSizeBytes = info.static_shared;
  all.localSizeBytes = info.local_bytes;
  all.maxThreadsPerBlock = static_cast<int>(std::min<std::uint32_t>(info.max_threads, kMaxThreadsPerBlock));
  all.numRegs = static_cast<int>(registers_of(info));
  all.ptxVersion = static_cast<int>(kernel.code->architecture(device));
  all.binaryVersion = device.model->architecture;
  all.maxDynamicSharedSizeBytes = set.max_dynamic_shared;
  all.preferredShmemCarveout = set.carveout;
  return all;
}

}  // namespace
}  // namespace vgpu::cudart

using namespace vgpu::cudart;

cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** arguments, std::size_t shared,
                             cudaStream_t stream) {
  return fallible_call(cudaErrorLaunchFailure, [&] {
    launch(function, {grid, block, shared, false}, arguments, stream);
  });
}

cudaError_t cudaLaunchCooperativeKernel(const void* function, dim3 grid, dim3 block, void** arguments,
                                        std::size_t shared, cudaStream_t stream) {
  return fallible_call(cudaErrorLaunchFailure, [&] {
    launch(function, {grid, block, shared, true}, arguments, stream);
  });
}

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* function, void** arguments) {
  return fallible_call(cudaErrorLaunchFailure, [&] {
    require(config != nullptr && (config->numAttrs == 0 || config->attrs != nullptr));
    LaunchShape shape{config->gridDim, config->blockDim, config->dynamicSmemBytes, false};
    for (unsigned i = 0; i < config->numAttrs; ++i) apply(config->attrs[i], shape);
    launch(function, shape, arguments, config->stream);
  });
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* function) {
  return call([&] {
    require(attributes != nullptr);
    *attributes = described(kernel_of(function), runtime().current());
  });
}

cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
  return fallible_call([&] { set_attribute(kernel_of(function), runtime().current(), attribute, value); });
}

cudaError_t cudaKernelSetAttributeForDevice(cudaKernel_t kernel, cudaFuncAttribute attribute, int value, int ordinal) {
  return call([&] { set_attribute(kernel_of(kernel), runtime().device(ordinal), attribute, value); });
}

cudaError_t cudaFuncSetCacheConfig(const void* function, cudaFuncCache config) {
  return call([&] {
    require(config >= cudaFuncCachePreferNone && config <= cudaFuncCachePreferEqual);
    kernel_of(function);
  });
}

cudaError_t cudaFuncGetName(const char** name, const void* function) {
  return call([&] {
    require(name != nullptr);
    *name = kernel_of(function).name.c_str();
  });
}

cudaError_t cudaFuncGetParamInfo(const void* function, std::size_t index, std::size_t* offset, std::size_t* size) {
  return call([&] {
    const auto info = info_of(kernel_of(function), runtime().current());
    require(offset != nullptr && index < info.parameter_sizes.size());
    *offset = info.parameter_offsets[index];
    if (size != nullptr) *size = info.parameter_sizes[index];
  });
}

cudaError_t cudaGetKernel(cudaKernel_t* kernel, const void* function) {
  return call([&] {
    require(kernel != nullptr);
    *kernel = &kernel_of(function);
  });
}
