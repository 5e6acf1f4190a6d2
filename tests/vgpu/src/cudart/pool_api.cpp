// SPDX-License-Identifier: Apache-2.0
//
// Memory pools.
#include "cudart/pool.h"
#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

// Returns whether the attribute is a flag, which is 1 by default. value_of() fails for attributes that do not exist.
bool is_flag(cudaMemPoolAttr attribute) {
  return attribute == cudaMemPoolReuseFollowEventDependencies || attribute == cudaMemPoolReuseAllowOpportunistic ||
         attribute == cudaMemPoolReuseAllowInternalDependencies;
}

std::uint64_t value_of(const Pool& pool, cudaMemPoolAttr attribute) {
  switch (attribute) {
    case cudaMemPoolAttrReservedMemCurrent:
    case cudaMemPoolAttrUsedMemCurrent:
      return pool.used;
    case cudaMemPoolAttrReservedMemHigh:
    case cudaMemPoolAttrUsedMemHigh:
      return pool.most_used;
    default:
      const auto found = pool.attributes.find(attribute);
      if (found != pool.attributes.end()) return found->second;
      require(is_flag(attribute) || attribute == cudaMemPoolAttrReleaseThreshold);
      return is_flag(attribute) ? 1 : 0;
  }
}

void set_value(Pool& pool, cudaMemPoolAttr attribute, const void* value) {
  switch (attribute) {
    case cudaMemPoolAttrReservedMemHigh:
    case cudaMemPoolAttrUsedMemHigh:
      require(*static_cast<const std::uint64_t*>(value) == 0);
      pool.most_used = pool.used;
      return;
    case cudaMemPoolAttrReleaseThreshold:
      pool.attributes[attribute] = *static_cast<const std::uint64_t*>(value);
      return;
    default:
      require(is_flag(attribute));
      pool.attributes[attribute] = static_cast<std::uint64_t>(*static_cast<const int*>(value));
  }
}

}  // namespace
}  // namespace vgpu::cudart

using namespace vgpu::cudart;

cudaError_t cudaMallocAsync(void** pointer, std::size_t size, cudaStream_t stream) {
  return fallible_call(cudaErrorMemoryAllocation, [&] {
    require(pointer != nullptr);
    Stream& in = stream_of(stream);
    *pointer = allocate_in_order(pool_of(in.device->current_pool), in, size);
  });
}

cudaError_t cudaMallocFromPoolAsync(void** pointer, std::size_t size, cudaMemPool_t pool, cudaStream_t stream) {
  return fallible_call(cudaErrorMemoryAllocation, [&] {
    require(pointer != nullptr);
    *pointer = allocate_in_order(pool_of(pool), stream_of(stream), size);
  });
}

cudaError_t cudaFreeAsync(void* pointer, cudaStream_t stream) {
  return call([&] {
    require(pointer != nullptr);
    free_in_order(pointer, stream_of(stream));
  });
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t* handle, const cudaMemPoolProps* properties) {
  return fallible_call(cudaErrorMemoryAllocation, [&] {
    require(handle != nullptr && properties != nullptr && properties->allocType == cudaMemAllocationTypePinned);
    if (properties->handleTypes != cudaMemHandleTypeNone) refuse("a memory pool shared between processes");
    if (properties->location.type != cudaMemLocationTypeDevice) refuse("a memory pool on the host");
    Device& device = runtime().device(properties->location.id);
    auto pool = std::make_unique<Pool>();
    pool->device = device.ordinal;
    *handle = pool.get();
    device.pools[pool.get()] = std::move(pool);
  });
}

cudaError_t cudaMemPoolDestroy(cudaMemPool_t handle) {
  return call([&] {
    Device& device = runtime().device(pool_of(handle).device);
    require(handle != &device.default_pool);
    if (device.current_pool == handle) device.current_pool = &device.default_pool;
    handle->destroyed = true;
    if (handle->used == 0) device.pools.erase(handle);
  });
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, std::size_t) {
  return call([&] { pool_of(pool); });
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  return call([&] {
    require(value != nullptr);
    set_value(pool_of(pool), attribute, value);
  });
}

cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  return call([&] {
    require(value != nullptr);
    const std::uint64_t found = value_of(pool_of(pool), attribute);
    if (is_flag(attribute)) {
      *static_cast<int*>(value) = static_cast<int>(found);
    } else {
      *static_cast<std::uint64_t*>(value) = found;
    }
  });
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int ordinal) {
  return call([&] {
    require(pool != nullptr);
    *pool = &runtime().device(ordinal).default_pool;
  });
}

cudaError_t cudaDeviceGetMemPool(cudaMemPool_t* pool, int ordinal) {
  return call([&] {
    require(pool != nullptr);
    *pool = runtime().device(ordinal).current_pool;
  });
}

cudaError_t cudaDeviceSetMemPool(int ordinal, cudaMemPool_t pool) {
  return call([&] {
    require(pool_of(pool).device == runtime().device(ordinal).ordinal);
    runtime().device(ordinal).current_pool = pool;
  });
}
