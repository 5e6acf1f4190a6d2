// SPDX-License-Identifier: Apache-2.0
//
// Streams: creation, order, and host functions in them.
#include <algorithm>

#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

constexpr int kLeastPriority = 0, kGreatestPriority = -5;

// Clears the last operation once the host has seen it complete, so that nothing depends on it any more.
bool is_past(const OperationPtr& operation) {
  return operation == nullptr || (operation->done() && operation->number < runtime().engine.precedence().first());
}

struct Callback {
  cudaStreamCallback_t function;
  cudaStream_t stream;
  void* argument;
  int device;
};

cudaError_t fault_of(int device) {
  const std::lock_guard<std::mutex> lock(runtime().mutex);
  return runtime().engine.fault(device);
}

void call_back(void* pointer) {
  const auto& callback = *static_cast<const Callback*>(pointer);
  callback.function(callback.stream, fault_of(callback.device), callback.argument);
}

}  // namespace
}  // namespace vgpu::cudart

using namespace vgpu::cudart;

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* handle, unsigned flags, int priority) {
  return fallible_call([&] {
    require(handle != nullptr && (flags & ~unsigned{cudaStreamNonBlocking}) == 0);
    Device& device = runtime().current();
    auto stream = std::make_unique<Stream>();
    stream->device = &device;
    stream->flags = flags;
    stream->priority = std::clamp(priority, kGreatestPriority, kLeastPriority);
    stream->id = runtime().next_stream_id();
    *handle = stream.get();
    device.streams[stream.get()] = std::move(stream);
  });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* handle, unsigned flags) {
  return cudaStreamCreateWithPriority(handle, flags, kLeastPriority);
}

cudaError_t cudaStreamCreate(cudaStream_t* handle) { return cudaStreamCreateWithFlags(handle, cudaStreamDefault); }

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  return call([&] {
    Stream& stream = stream_of(handle);
    require(stream.kind == Stream::Kind::kCreated, cudaErrorInvalidResourceHandle);
    if (stream.capture != nullptr) leave_capture(stream);
    auto& orphans = stream.device->orphans;
    orphans.erase(std::remove_if(orphans.begin(), orphans.end(), is_past), orphans.end());
    if (stream.blocking() && !is_past(stream.last)) orphans.push_back(stream.last);
    stream.device->streams.erase(handle);
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return fallible_call([&] {
    Stream& stream = stream_of(handle);
    require_not_captured(stream);
    synchronize(stream);
  });
}

// Every query runs one operation and then reports the state, so that a repeated query succeeds eventually, and a single
// one has to handle unfinished work.
cudaError_t cudaStreamQuery(cudaStream_t handle) {
  return fallible_call([&] {
    const Stream& stream = stream_of(handle);
    require_not_captured(stream);
    for (const OperationPtr& operation : preceding(stream))
      require(runtime().engine.advance(operation), cudaErrorNotReady);
  });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned flags) {
  return fallible_call([&] {
    require(flags == cudaEventWaitDefault || flags == cudaEventWaitExternal);
    wait_for(stream_of(handle), event_of(event), flags == cudaEventWaitExternal ? External::kYes : External::kNo);
  });
}

cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void* argument) {
  return fallible_call([&] {
    require(function != nullptr);
    issue(stream_of(handle), HostWork{function, argument});
  });
}

cudaError_t cudaStreamAddCallback(cudaStream_t handle, cudaStreamCallback_t function, void* argument, unsigned flags) {
  return fallible_call([&] {
    require(function != nullptr && flags == 0);
    Stream& stream = stream_of(handle);
    require_not_captured(stream);
    const auto callback = std::make_shared<Callback>(Callback{function, handle, argument, stream.device->ordinal});
    issue(stream, HostWork{call_back, callback.get(), callback, true});
  });
}

cudaError_t cudaStreamGetPriority(cudaStream_t handle, int* priority) {
  return call([&] {
    require(priority != nullptr);
    *priority = stream_of(handle).priority;
  });
}

cudaError_t cudaStreamGetFlags(cudaStream_t handle, unsigned* flags) {
  return call([&] {
    require(flags != nullptr);
    *flags = stream_of(handle).flags;
  });
}

cudaError_t cudaStreamGetId(cudaStream_t handle, unsigned long long* id) {
  return call([&] {
    require(id != nullptr);
    *id = stream_of(handle).id;
  });
}

cudaError_t cudaStreamGetDevice(cudaStream_t handle, int* device) {
  return call([&] {
    require(device != nullptr);
    *device = stream_of(handle).device->ordinal;
  });
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  return call([&] {
    if (least != nullptr) *least = kLeastPriority;
    if (greatest != nullptr) *greatest = kGreatestPriority;
  });
}
