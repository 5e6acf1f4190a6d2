// SPDX-License-Identifier: Apache-2.0
//
// Memory advice and profiler control: the arguments are checked as in CUDA, but there is no other effect.
#include "cudart/copy.h"
#include "cudart/kernel.h"
#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

void require_managed(const void* pointer, std::size_t count) {
  const Allocation* allocation = runtime().heap.holding(address_of(pointer), count);
  require(count > 0 && allocation != nullptr && allocation->kind == Allocation::Kind::kManaged);
}

void require_known(cudaSharedMemConfig config) {
  require(config >= cudaSharedMemBankSizeDefault && config <= cudaSharedMemBankSizeEightByte);
}

}  // namespace
}  // namespace vgpu::cudart

using namespace vgpu::cudart;

cudaError_t cudaMemAdvise(const void* pointer, std::size_t count, cudaMemoryAdvise, cudaMemLocation) {
  return call([&] { require_managed(pointer, count); });
}

cudaError_t cudaMemPrefetchAsync(const void* pointer, std::size_t count, cudaMemLocation, unsigned flags,
                                 cudaStream_t stream) {
  return call([&] {
    require_managed(pointer, count);
    require(flags == 0);
    issue(stream_of(stream), Nothing{});
  });
}

cudaError_t cudaStreamAttachMemAsync(cudaStream_t stream, void* pointer, std::size_t count, unsigned flags) {
  return call([&] {
    const auto* allocation = runtime().heap.holding(address_of(pointer), 1);
    require(flags == cudaMemAttachGlobal || flags == cudaMemAttachHost || flags == cudaMemAttachSingle);
    require(allocation != nullptr && (count == 0 || count == allocation->size));
    require_managed(pointer, allocation->size);
    issue(stream_of(stream), Nothing{});
  });
}

cudaError_t cudaCtxResetPersistingL2Cache() {
  return call([] {});
}

// Shared memory banks are four bytes wide on all supported devices.
cudaError_t cudaDeviceSetSharedMemConfig(cudaSharedMemConfig config) {
  return call([&] { require_known(config); });
}

cudaError_t cudaDeviceGetSharedMemConfig(cudaSharedMemConfig* config) {
  return call([&] {
    require(config != nullptr);
    *config = cudaSharedMemBankSizeFourByte;
  });
}

cudaError_t cudaFuncSetSharedMemConfig(const void* function, cudaSharedMemConfig config) {
  return call([&] {
    kernel_of(function);
    require_known(config);
  });
}

cudaError_t cudaProfilerStart() {
  return call([] {});
}

cudaError_t cudaProfilerStop() {
  return call([] {});
}
