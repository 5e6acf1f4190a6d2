// SPDX-License-Identifier: Apache-2.0
//
// Streams and events as dependencies between operations.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cudart/cuda_api.h"
#include "cudart/engine.h"
#include "cudart/work.h"

namespace vgpu::cudart {
struct Capture;
}

struct CUstream_st {
  enum class Kind : std::uint8_t { kCreated, kLegacy, kPerThread };
  vgpu::cudart::Device* device = nullptr;
  Kind kind = Kind::kCreated;
  unsigned flags = cudaStreamDefault;
  int priority = 0;
  unsigned long long id = 0;
  vgpu::cudart::OperationPtr last;  // null: nothing issued yet
  // While the stream is captured: the capture, and the dependencies of the next node.
  std::shared_ptr<vgpu::cudart::Capture> capture;
  std::vector<CUgraphNode_st*> tips;

  // Synchronises implicitly with the legacy default stream.
  bool blocking() const { return (flags & cudaStreamNonBlocking) == 0; }
};

struct CUevent_st {
  int device = 0;
  unsigned flags = cudaEventDefault;
  vgpu::cudart::OperationPtr recorded;  // null: not recorded, which counts as complete
  // If it was recorded in a captured stream: the capture, and the nodes that it represents.
  std::shared_ptr<vgpu::cudart::Capture> capture;
  std::vector<CUgraphNode_st*> tips;
};

namespace vgpu::cudart {

using Stream = CUstream_st;
using Event = CUevent_st;

// The default stream of the API call that this thread is in: legacy or per thread.
enum class DefaultStream : bool { kLegacy, kPerThread };
DefaultStream& default_stream();

// The stream of a handle: a created one, or a default stream of the current device.
Stream& stream_of(cudaStream_t handle);
Event& event_of(cudaEvent_t handle);

// "stream 5"
std::string name_of(const Stream& stream);

// The operations that the next operation of the stream depends on.
std::vector<OperationPtr> preceding(const Stream& stream);

// Each of these is issued to the stream, or added to the graph of its capture. External events become event nodes of
// the graph; other events become dependencies.
enum class External : bool { kNo, kYes };
void issue(Stream& stream, Work work);
void wait_for(Stream& stream, Event& event, External external);
void record(Event& event, Stream& stream, External external);

void synchronize(Stream& stream);

}  // namespace vgpu::cudart
