// SPDX-License-Identifier: Apache-2.0
#include "cudart/stream.h"

#include <utility>

#include "cudart/capture.h"
#include "cudart/runtime.h"

namespace vgpu::cudart {

DefaultStream& default_stream() {
  thread_local DefaultStream stream = DefaultStream::kLegacy;
  return stream;
}

Stream& stream_of(cudaStream_t handle) {
  Runtime& state = runtime();
  if (handle == nullptr && default_stream() == DefaultStream::kPerThread) handle = cudaStreamPerThread;
  if (handle == nullptr || handle == cudaStreamLegacy) return state.current().legacy;
  if (handle == cudaStreamPerThread) return state.per_thread_stream(state.current());
  for (const auto& device : state.devices)
    if (device->streams.count(handle) != 0) return *handle;
  fail(cudaErrorInvalidResourceHandle);
}

Event& event_of(cudaEvent_t handle) {
  require(runtime().events.count(handle) != 0, cudaErrorInvalidResourceHandle);
  return *handle;
}

std::string name_of(const Stream& stream) {
  return stream.kind == Stream::Kind::kLegacy ? "the legacy default stream" : "stream " + std::to_string(stream.id);
}

std::vector<OperationPtr> preceding(const Stream& stream) {
  std::vector<OperationPtr> all{stream.last};
  const Device& device = *stream.device;
  if (stream.kind == Stream::Kind::kLegacy) {
    all.insert(all.end(), device.orphans.begin(), device.orphans.end());
    for (const auto& [handle, other] : device.streams)
      if (other->blocking()) all.push_back(other->last);
    for (const auto& [thread, other] : device.per_thread) all.push_back(other->last);
  } else if (stream.blocking()) {
    all.push_back(device.legacy.last);
  }
  return all;
}

void issue(Stream& stream, Work work) {
  if (stream.capture != nullptr) {
    capture_work(stream, std::move(work));
    return;
  }
  require_no_implicit_wait(stream);
  stream.last = submit(stream.device->ordinal, preceding(stream), std::move(work), name_of(stream));
}

void wait_for(Stream& stream, Event& event, External external) {
  if (external == External::kYes && stream.capture != nullptr) {
    capture_work(stream, WaitWork{&event});
    return;
  }
  if (stream.capture != nullptr || event.capture != nullptr) {
    capture_wait(stream, event);
    return;
  }
  require_no_implicit_wait(stream);
  std::vector<OperationPtr> after = preceding(stream);
  after.push_back(event.recorded);
  stream.last = runtime().engine.submit(stream.device->ordinal, std::move(after), nullptr);
}

void record(Event& event, Stream& stream, External external) {
  require(event.device == stream.device->ordinal, cudaErrorInvalidResourceHandle);
  if (external == External::kYes && stream.capture != nullptr) {
    capture_work(stream, RecordWork{&event});
    return;
  }
  if (stream.capture != nullptr) require(stream.capture->valid, cudaErrorStreamCaptureInvalidated);
  require_no_implicit_wait(stream);
  event.capture = stream.capture;
  event.tips = stream.tips;
  if (stream.capture != nullptr) return;
  stream.last = runtime().engine.submit(stream.device->ordinal, preceding(stream), nullptr);
  event.recorded = stream.last;
}

void synchronize(Stream& stream) {
  count_synchronization();
  for (const OperationPtr& operation : preceding(stream)) runtime().engine.complete(operation);
}

}  // namespace vgpu::cudart
