// SPDX-License-Identifier: Apache-2.0
#include "cudart/runtime.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <string>

namespace vgpu::cudart {
namespace {

constexpr const char* kDefaultModel = "sm_90";

// Returns the value of an environment variable, or an empty string if it is not set.
std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

const DeviceModel& chosen_model() {
  const std::string name = environment("VGPU_DEVICE");
  const DeviceModel* model = device_model(name.empty() ? kDefaultModel : name);
  if (model != nullptr) return *model;
  say("VGPU_DEVICE: expected one of sm_75, sm_80, sm_86, sm_89, sm_90, sm_100, sm_120, got " + name);
  std::abort();
}

int chosen_count() {
  const std::string text = environment("VGPU_DEVICES");
  if (text.empty()) return 1;
  int count = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc() && end == text.data() + text.size() && count >= 0) return count;
  say("VGPU_DEVICES: expected a number of devices, got " + text);
  std::abort();
}

}  // namespace

Runtime& runtime() {
  static auto* state = [] {
    // At exit, the static objects of the process are destroyed, and pending work must not access them.
    std::atexit([] {
      const std::lock_guard<std::mutex> lock(runtime().mutex);
      runtime().engine.stop();
    });
    return new Runtime;
  }();
  return *state;
}

int& current_ordinal() {
  thread_local int ordinal = 0;
  return ordinal;
}

std::uint64_t this_thread() {
  static std::atomic<std::uint64_t> threads{0};
  thread_local const std::uint64_t number = ++threads;
  return number;
}

Runtime::Runtime() : engine(mutex, options_from_environment().seed), options(options_from_environment()) {
  const DeviceModel& model = chosen_model();
  for (int ordinal = 0; ordinal < chosen_count(); ++ordinal) {
    auto device = std::make_unique<Device>();
    device->ordinal = ordinal;
    device->model = &model;
    device->limits = {static_cast<std::uint32_t>(model.architecture),
                      static_cast<std::uint32_t>(model.multiprocessors)};
    device->properties = properties_of(model, ordinal, heap.limit());
    device->legacy.device = device.get();
    device->legacy.kind = Stream::Kind::kLegacy;
    device->legacy.id = next_stream_id();
    device->default_pool.device = ordinal;
    device->current_pool = &device->default_pool;
    devices.push_back(std::move(device));
  }
}

Graph& Runtime::keep(std::unique_ptr<Graph> graph) {
  Graph* handle = graph.get();
  graphs[handle] = std::move(graph);
  return *handle;
}

const Allocation& Runtime::allocate(Allocation::Kind kind, std::size_t size, int device) {
  const Allocation* allocation = heap.allocate(kind, size, device);
  if (allocation == nullptr) {
    engine.complete_all(device);
    allocation = heap.allocate(kind, size, device);
  }
  require(allocation != nullptr, cudaErrorMemoryAllocation);
  return *allocation;
}

Device& Runtime::device(int ordinal) {
  require(ordinal >= 0 && ordinal < static_cast<int>(devices.size()), cudaErrorInvalidDevice);
  return *devices[static_cast<std::size_t>(ordinal)];
}

Device& Runtime::current() {
  require(!devices.empty(), cudaErrorNoDevice);
  return device(current_ordinal());
}

Stream& Runtime::per_thread_stream(Device& device) {
  auto& stream = device.per_thread[this_thread()];
  if (stream == nullptr) {
    stream = std::make_unique<Stream>();
    stream->device = &device;
    stream->kind = Stream::Kind::kPerThread;
    stream->id = next_stream_id();
  }
  return *stream;
}

void Runtime::forget_memory(std::uint64_t address) {
  allocated.erase(address);
  const auto found = pool_memory.find(address);
  if (found == pool_memory.end()) return;
  Pool* pool = found->second;
  pool_memory.erase(found);
  pool->used -= heap.find(address)->size;
  if (pool->destroyed && pool->used == 0) device(pool->device).pools.erase(pool);
}

void Runtime::reset(Device& device) {
  count_synchronization();
  engine.complete_all(device.ordinal);
  engine.reset(device.ordinal);
  captures.clear();
  graph_execs.clear();
  graphs.clear();
  registry.reset(device.ordinal);
  // The remaining allocations belong to the program, or would have been freed by work that was dropped.
  for (const Allocation* allocation : heap.live()) {
    if (allocation->device != device.ordinal) continue;
    forget_memory(allocation->address);
    heap.release(allocation->address);
  }
  for (auto at = events.begin(); at != events.end();)
    at = at->second->device == device.ordinal ? events.erase(at) : std::next(at);
  device.streams.clear();
  device.orphans.clear();
  device.per_thread.clear();
  device.legacy.last = nullptr;
  device.set_limits.clear();
  device.peers.clear();
  device.current_pool = &device.default_pool;
  device.pools.clear();
  device.flags = cudaDeviceScheduleAuto;
  device.cache = cudaFuncCachePreferNone;
}

}  // namespace vgpu::cudart
