// SPDX-License-Identifier: Apache-2.0
//
// The state of the runtime, and the wrappers in which the exported functions run.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "cudart/capture.h"
#include "cudart/cuda_api.h"
#include "cudart/device_table.h"
#include "cudart/engine.h"
#include "cudart/error.h"
#include "cudart/graph.h"
#include "cudart/pool.h"
#include "cudart/registry.h"
#include "cudart/stream.h"
#include "cudart/tally.h"
#include "exec/launch.h"
#include "memory/heap.h"

namespace vgpu::cudart {

struct Device {
  int ordinal = 0;
  const DeviceModel* model = nullptr;
  DeviceLimits limits;
  cudaDeviceProp properties{};
  Stream legacy;
  std::map<std::uint64_t, std::unique_ptr<Stream>> per_thread;  // default streams, by thread
  std::map<Stream*, std::unique_ptr<Stream>> streams;           // the streams created by the program
  std::vector<OperationPtr> orphans;                            // the last operations of destroyed blocking streams
  std::map<cudaLimit, std::size_t> set_limits;
  std::set<int> peers;  // devices whose memory this device may access
  unsigned flags = cudaDeviceScheduleAuto;
  cudaFuncCache cache = cudaFuncCachePreferNone;
  Pool default_pool;
  Pool* current_pool = nullptr;
  std::map<Pool*, std::unique_ptr<Pool>> pools;  // the pools created by the program
};

class Runtime {
 public:
  Runtime();

  std::mutex mutex;  // guards everything below
  Heap heap;
  Engine engine;
  Registry registry;
  Options options;
  std::vector<std::unique_ptr<Device>> devices;
  std::map<Event*, std::unique_ptr<Event>> events;
  std::vector<std::shared_ptr<Capture>> captures;  // captures that have not ended
  std::map<Graph*, std::unique_ptr<Graph>> graphs;
  std::map<GraphExec*, std::unique_ptr<GraphExec>> graph_execs;

  std::set<std::uint64_t> allocated;           // allocated by the program and not yet passed to a free function
  std::map<std::uint64_t, Pool*> pool_memory;  // the allocations that come from pools

  Graph& keep(std::unique_ptr<Graph> graph);
  // Fails with cudaErrorMemoryAllocation if the memory is exhausted, even if pending work would free some.
  const Allocation& allocate(Allocation::Kind kind, std::size_t size, int device);
  Device& current();  // the current device of this thread
  Device& device(int ordinal);
  Stream& per_thread_stream(Device& device);
  unsigned long long next_stream_id() { return ++stream_ids_; }
  unsigned long long next_capture_id() { return ++capture_ids_; }
  // Called when the program has freed this allocation.
  void forget_memory(std::uint64_t address);
  void reset(Device& device);

 private:
  unsigned long long stream_ids_ = 0;
  unsigned long long capture_ids_ = 0;
};

// The object is never destroyed, so that it outlives every static object that calls CUDA.
Runtime& runtime();

int& current_ordinal();       // of this thread
std::uint64_t this_thread();  // a number that is never reused by another thread

// Runs the body of an exported function and converts exceptions to an error code.
template <class Body>
cudaError_t outcome_of(const Body& body) noexcept {
  cudaError_t code = cudaSuccess;
  try {
    require(!in_host_function(), cudaErrorNotPermitted);
    const std::lock_guard<std::mutex> lock(runtime().mutex);
    body();
  } catch (const Failure& failure) {
    code = failure.code;
  } catch (const std::bad_alloc&) {
    code = cudaErrorMemoryAllocation;
  }
  if (code != cudaSuccess) last_error() = code;
  return code;
}

// The same for functions that need a working device: after a fault they all return its error code.
template <class Body>
cudaError_t call(const Body& body) noexcept {
  return outcome_of([&] {
    Runtime& state = runtime();
    const int device = state.current().ordinal;
    require(state.engine.fault(device) == cudaSuccess, state.engine.fault(device));
    body();
    require(state.engine.fault(device) == cudaSuccess, state.engine.fault(device));
  });
}

// The same for functions that can fail without an error of the program: returns the code if vgpu_fail_call() has
// selected this call.
template <class Body>
cudaError_t fallible_call(cudaError_t code, const Body& body) noexcept {
  return call([&] {
    require(!fails_now(), code);
    body();
  });
}
template <class Body>
cudaError_t fallible_call(const Body& body) noexcept {
  return fallible_call(cudaErrorUnknown, body);
}

}  // namespace vgpu::cudart
