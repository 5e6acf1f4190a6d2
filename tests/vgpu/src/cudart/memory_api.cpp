// SPDX-License-Identifier: Apache-2.0
//
// Device memory, and memory that is shared with the host.
#include "cudart/copy.h"
#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

constexpr std::size_t kPitchUnit = 512;

void* allocated(Allocation::Kind kind, std::size_t size) {
  require_safe_call();
  if (size == 0) return nullptr;
  const std::uint64_t address = runtime().allocate(kind, size, runtime().current().ordinal).address;
  runtime().allocated.insert(address);
  count_allocation();
  return pointer_to(address);
}

// Returns the allocation or registration that begins at this address, or null if none does.
const Allocation* owned(const void* pointer) {
  const std::uint64_t address = address_of(pointer);
  return runtime().allocated.count(address) != 0 ? runtime().heap.find(address) : nullptr;
}

// Frees the memory after all issued work has completed, as CUDA does.
void release_after_work(const Allocation& allocation) {
  require_safe_call();
  count_synchronization();
  Runtime& state = runtime();
  const std::uint64_t address = allocation.address;
  // Memory that the host can access may be in use by any device.
  const bool is_local = allocation.kind == Allocation::Kind::kDevice;
  for (const auto& device : state.devices)
    if (!is_local || device->ordinal == allocation.device) state.engine.complete_all(device->ordinal);
  state.forget_memory(address);
  state.heap.release(address);
}

void free_memory(void* pointer, bool host) {
  if (pointer == nullptr) return;
  const Allocation* allocation = owned(pointer);
  require(allocation != nullptr && !allocation->adopted && (allocation->kind == Allocation::Kind::kPinned) == host);
  release_after_work(*allocation);
}

std::size_t pitch_for(std::size_t width) { return (width + kPitchUnit - 1) / kPitchUnit * kPitchUnit; }

cudaPointerAttributes described(const void* pointer) {
  cudaPointerAttributes all{};
  all.device = cudaInvalidDeviceId;
  all.hostPointer = const_cast<void*>(pointer);
  const Allocation* allocation = runtime().heap.holding(address_of(pointer), 1);
  if (allocation == nullptr) return all;
  all.device = allocation->device;
  all.devicePointer = const_cast<void*>(pointer);
  switch (allocation->kind) {
    case Allocation::Kind::kPinned:
      all.type = cudaMemoryTypeHost;
      break;
    case Allocation::Kind::kManaged:
      all.type = cudaMemoryTypeManaged;
      break;
    default:
      all.type = cudaMemoryTypeDevice;
      all.hostPointer = nullptr;
  }
  return all;
}

}  // namespace
}  // namespace vgpu::cudart

using namespace vgpu::cudart;
using Kind = vgpu::Allocation::Kind;

cudaError_t cudaMalloc(void** pointer, std::size_t size) {
  return fallible_call(cudaErrorMemoryAllocation, [&] {
    require(pointer != nullptr);
    *pointer = allocated(Kind::kDevice, size);
  });
}

cudaError_t cudaMallocPitch(void** pointer, std::size_t* pitch, std::size_t width, std::size_t height) {
  return fallible_call(cudaErrorMemoryAllocation, [&] {
    require(pointer != nullptr && pitch != nullptr);
    *pitch = pitch_for(width);
    *pointer = allocated(Kind::kDevice, *pitch * height);
  });
}

cudaError_t cudaMalloc3D(cudaPitchedPtr* pointer, cudaExtent extent) {
  return fallible_call(cudaErrorMemoryAllocation, [&] {
    require(pointer != nullptr);
    const std::size_t pitch = pitch_for(extent.width);
    *pointer = {allocated(Kind::kDevice, pitch * extent.height * extent.depth), pitch, extent.width, extent.height};
  });
}

cudaError_t cudaMallocManaged(void** pointer, std::size_t size, unsigned flags) {
  return fallible_call(cudaErrorMemoryAllocation, [&] {
    require(pointer != nullptr && size > 0 && (flags == cudaMemAttachGlobal || flags == cudaMemAttachHost));
    *pointer = allocated(Kind::kManaged, size);
  });
}

cudaError_t cudaHostAlloc(void** pointer, std::size_t size, unsigned flags) {
  constexpr unsigned kKnown = cudaHostAllocPortable | cudaHostAllocMapped | cudaHostAllocWriteCombined;
  return fallible_call(cudaErrorMemoryAllocation, [&] {
    require(pointer != nullptr && (flags & ~kKnown) == 0);
    *pointer = allocated(Kind::kPinned, size);
  });
}

cudaError_t cudaMallocHost(void** pointer, std::size_t size) {
  return cudaHostAlloc(pointer, size, cudaHostAllocDefault);
}

cudaError_t cudaFree(void* pointer) {
  return call([&] { free_memory(pointer, false); });
}

cudaError_t cudaFreeHost(void* pointer) {
  return call([&] { free_memory(pointer, true); });
}

cudaError_t cudaHostRegister(void* pointer, std::size_t size, unsigned flags) {
  constexpr unsigned kKnown = cudaHostRegisterPortable | cudaHostRegisterMapped;
  return fallible_call(cudaErrorMemoryAllocation, [&] {
    require_safe_call();
    if ((flags & (cudaHostRegisterIoMemory | cudaHostRegisterReadOnly)) != 0) refuse("registering such host memory");
    require(pointer != nullptr && size > 0 && (flags & ~kKnown) == 0);
    const auto* allocation = runtime().heap.adopt(pointer, size, runtime().current().ordinal);
    require(allocation != nullptr, cudaErrorHostMemoryAlreadyRegistered);
    runtime().allocated.insert(allocation->address);
  });
}

cudaError_t cudaHostUnregister(void* pointer) {
  return call([&] {
    const auto* allocation = owned(pointer);
    require(allocation != nullptr && allocation->adopted, cudaErrorHostMemoryNotRegistered);
    release_after_work(*allocation);
  });
}

cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned flags) {
  return call([&] {
    require(device != nullptr && flags == 0);
    const vgpu::Allocation* allocation = runtime().heap.holding(address_of(host), 1);
    require(allocation != nullptr && allocation->kind == Kind::kPinned);
    *device = host;
  });
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  return call([&] {
    require(free != nullptr && total != nullptr);
    *total = runtime().heap.limit();
    *free = *total - runtime().heap.used(runtime().current().ordinal);
  });
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  return call([&] {
    require(attributes != nullptr && pointer != nullptr);
    *attributes = described(pointer);
  });
}
