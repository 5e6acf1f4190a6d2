// SPDX-License-Identifier: Apache-2.0
#include "cudart/pool.h"

#include <algorithm>

#include "cudart/copy.h"
#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

void* captured(Stream& stream, std::size_t size) {
  auto memory = std::make_shared<GraphMemory>(size, stream.device->ordinal);
  const std::uint64_t address = memory->address();
  capture_work(stream, GraphMemoryWork{std::move(memory), false});
  return pointer_to(address);
}

// Returns the allocation in the graph that the stream is captured into, or null if it was not allocated there.
std::shared_ptr<GraphMemory> memory_in(const Graph& graph, std::uint64_t address) {
  for (const auto& node : graph.nodes) {
    const auto* work = std::get_if<GraphMemoryWork>(&node->work);
    if (work != nullptr && work->memory->address() == address) return work->memory;
  }
  return nullptr;
}

}  // namespace

Pool& pool_of(cudaMemPool_t handle) {
  for (const auto& device : runtime().devices)
    if (handle == &device->default_pool || (device->pools.count(handle) != 0 && !handle->destroyed)) return *handle;
  fail(cudaErrorInvalidValue);
}

void* allocate_in_order(Pool& pool, Stream& stream, std::size_t size) {
  if (size == 0) return nullptr;
  count_allocation();
  if (stream.capture != nullptr) return captured(stream, size);
  require_no_implicit_wait(stream);
  Runtime& state = runtime();
  const Allocation& allocation = state.allocate(Allocation::Kind::kDevice, size, pool.device);
  state.allocated.insert(allocation.address);
  state.pool_memory[allocation.address] = &pool;
  pool.used += allocation.size;
  pool.most_used = std::max(pool.most_used, pool.used);
  issue(stream, AllocateWork{allocation.address});
  return pointer_to(allocation.address);
}

void free_in_order(void* pointer, Stream& stream) {
  Runtime& state = runtime();
  const std::uint64_t address = address_of(pointer);
  if (stream.capture != nullptr) {
    auto memory = memory_in(*stream.capture->graph, address);
    if (memory == nullptr) refuse("freeing memory in a graph that did not allocate it");
    capture_work(stream, GraphMemoryWork{std::move(memory), true});
    return;
  }
  require(state.pool_memory.count(address) != 0);
  state.forget_memory(address);
  issue(stream, FreeWork{address});
}

}  // namespace vgpu::cudart
