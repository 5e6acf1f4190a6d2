// SPDX-License-Identifier: Apache-2.0
//
// Events. Their times are the host times at which the virtual GPU executed them. They show that the calls are correct,
// but say nothing about the speed of a GPU.
#include <chrono>

#include "cudart/runtime.h"

using namespace vgpu::cudart;

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* handle, unsigned flags) {
  constexpr unsigned kKnown = cudaEventBlockingSync | cudaEventDisableTiming;
  return fallible_call([&] {
    if ((flags & cudaEventInterprocess) != 0) refuse("an event shared between processes");
    require(handle != nullptr && (flags & ~kKnown) == 0);
    auto event = std::make_unique<Event>();
    event->device = runtime().current().ordinal;
    event->flags = flags;
    *handle = event.get();
    runtime().events[event.get()] = std::move(event);
  });
}

cudaError_t cudaEventCreate(cudaEvent_t* handle) { return cudaEventCreateWithFlags(handle, cudaEventDefault); }

cudaError_t cudaEventDestroy(cudaEvent_t handle) {
  return call([&] {
    event_of(handle);
    runtime().events.erase(handle);
  });
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t handle, cudaStream_t stream, unsigned flags) {
  return fallible_call([&] {
    require(flags == cudaEventRecordDefault || flags == cudaEventRecordExternal);
    record(event_of(handle), stream_of(stream), flags == cudaEventRecordExternal ? External::kYes : External::kNo);
  });
}

cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream) {
  return cudaEventRecordWithFlags(handle, stream, cudaEventRecordDefault);
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  return fallible_call([&] {
    const Event& event = event_of(handle);
    require_not_captured(event);
    count_synchronization();
    runtime().engine.complete(OperationPtr(event.recorded));
  });
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
  return fallible_call([&] {
    const Event& event = event_of(handle);
    require_not_captured(event);
    require(runtime().engine.advance(OperationPtr(event.recorded)), cudaErrorNotReady);
  });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  return fallible_call([&] {
    require(milliseconds != nullptr);
    for (const Event* event : {&event_of(start), &event_of(end)}) {
      require(event->capture == nullptr, cudaErrorCapturedEvent);
      require((event->flags & cudaEventDisableTiming) == 0 && event->recorded != nullptr,
              cudaErrorInvalidResourceHandle);
      require(event->recorded->done(), cudaErrorNotReady);
    }
    for (const Event* event : {&event_of(start), &event_of(end)}) runtime().engine.advance(event->recorded);
    const auto elapsed = event_of(end).recorded->finished - event_of(start).recorded->finished;
    *milliseconds = std::chrono::duration<float, std::milli>(elapsed).count();
  });
}
