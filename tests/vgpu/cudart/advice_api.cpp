// SPDX-License-Identifier: Apache-2.0
//
// Advice and tools: checked where CUDA checks it, and without effect.
#include "cudart/copy.h"
#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

void require_managed(const void* pointer, std::size_t count) {
  const Allocation* allocation = runtime().heap.holding(address_of(pointer), count);
  require(count > 0 && allocation != nullptr && allocation->kind == Allocation::Kind::kManaged);
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

cudaError_t cudaProfilerStart() {
  return call([] {});
}

cudaError_t cudaProfilerStop() {
  return call([] {});
}
