// SPDX-License-Identifier: Apache-2.0
//
// Devices, their attributes and settings.
#include <algorithm>
#include <cstdio>

#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

constexpr int kVersion = CUDART_VERSION;

struct LimitDefault {
  cudaLimit limit;
  std::size_t value;
};
constexpr LimitDefault kLimits[] = {
    {cudaLimitStackSize, 1024},           {cudaLimitPrintfFifoSize, 1 << 20},  {cudaLimitMallocHeapSize, 8 << 20},
    {cudaLimitMaxL2FetchGranularity, 64}, {cudaLimitPersistingL2CacheSize, 0},
};

const LimitDefault& limit_of(cudaLimit limit) {
  const auto found =
      std::find_if(std::begin(kLimits), std::end(kLimits), [&](const LimitDefault& one) { return one.limit == limit; });
  require(found != std::end(kLimits), cudaErrorUnsupportedLimit);
  return *found;
}

}  // namespace
}  // namespace vgpu::cudart

using namespace vgpu::cudart;

cudaError_t cudaGetDeviceCount(int* count) {
  return outcome_of([&] {
    require(count != nullptr);
    *count = static_cast<int>(runtime().devices.size());
    require(*count > 0, cudaErrorNoDevice);
  });
}

cudaError_t cudaSetDevice(int ordinal) {
  const cudaError_t error = outcome_of([&] { current_ordinal() = runtime().device(ordinal).ordinal; });
  return error != cudaSuccess ? error : call([] {});
}

cudaError_t cudaInitDevice(int ordinal, unsigned, unsigned) {
  return outcome_of([&] { runtime().device(ordinal); });
}

cudaError_t cudaGetDevice(int* ordinal) {
  return outcome_of([&] {
    require(ordinal != nullptr);
    *ordinal = runtime().current().ordinal;
  });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int ordinal) {
  return outcome_of([&] {
    require(properties != nullptr);
    *properties = runtime().device(ordinal).properties;
  });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int ordinal) {
  return outcome_of([&] {
    require(value != nullptr);
    const Device& device = runtime().device(ordinal);
    require(attribute_of(*device.model, device.properties, attribute, *value));
  });
}

cudaError_t cudaDeviceSynchronize() {
  return fallible_call([] {
    require_not_captured(runtime().current());
    count_synchronization();
    runtime().engine.complete_all(current_ordinal());
  });
}

cudaError_t cudaDeviceReset() {
  return outcome_of([] { runtime().reset(runtime().current()); });
}

cudaError_t cudaDeviceSetLimit(cudaLimit limit, std::size_t value) {
  return call([&] { runtime().current().set_limits[limit_of(limit).limit] = value; });
}

cudaError_t cudaDeviceGetLimit(std::size_t* value, cudaLimit limit) {
  return call([&] {
    require(value != nullptr);
    const auto& set = runtime().current().set_limits;
    const auto found = set.find(limit_of(limit).limit);
    *value = found != set.end() ? found->second : limit_of(limit).value;
  });
}

cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int ordinal) {
  return outcome_of([&] {
    const cudaDeviceProp& p = runtime().device(ordinal).properties;
    require(text != nullptr && length > 0);
    const int needed = std::snprintf(text, static_cast<std::size_t>(length), "%04x:%02x:%02x.0", p.pciDomainID,
                                     p.pciBusID, p.pciDeviceID);
    require(needed < length);
  });
}

cudaError_t cudaDeviceGetByPCIBusId(int* ordinal, const char* text) {
  return outcome_of([&] {
    require(ordinal != nullptr && text != nullptr);
    unsigned domain = 0, bus = 0, slot = 0;
    const bool with_domain = std::sscanf(text, "%x:%x:%x", &domain, &bus, &slot) == 3;
    require(with_domain || std::sscanf(text, "%x:%x", &bus, &slot) == 2);
    const auto& devices = runtime().devices;
    const auto found = std::find_if(devices.begin(), devices.end(), [&](const auto& device) {
      return device->properties.pciBusID == static_cast<int>(bus) && domain == 0 && slot == 0;
    });
    require(found != devices.end());
    *ordinal = (*found)->ordinal;
  });
}

cudaError_t cudaSetDeviceFlags(unsigned flags) {
  return call([&] {
    require((flags & ~unsigned{cudaDeviceMask}) == 0 && (flags & cudaDeviceScheduleMask) != cudaDeviceScheduleMask);
    runtime().current().flags = flags;
  });
}

cudaError_t cudaGetDeviceFlags(unsigned* flags) {
  return call([&] {
    require(flags != nullptr);
    *flags = runtime().current().flags | cudaDeviceMapHost;
  });
}

// The split between cache and shared memory is not modelled; the preference is only stored.
cudaError_t cudaDeviceSetCacheConfig(cudaFuncCache config) {
  return call([&] {
    require(config >= cudaFuncCachePreferNone && config <= cudaFuncCachePreferEqual);
    runtime().current().cache = config;
  });
}

cudaError_t cudaDeviceGetCacheConfig(cudaFuncCache* config) {
  return call([&] {
    require(config != nullptr);
    *config = runtime().current().cache;
  });
}

cudaError_t cudaDriverGetVersion(int* version) {
  return outcome_of([&] {
    require(version != nullptr);
    *version = kVersion;
  });
}

cudaError_t cudaRuntimeGetVersion(int* version) { return cudaDriverGetVersion(version); }
