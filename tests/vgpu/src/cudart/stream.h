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
  vgpu::cudart::OperationPtr last;  // null if nothing was issued yet
  // Set while the stream is captured: the capture, and the dependencies of the next node.
  std::shared_ptr<vgpu::cudart::Capture> capture;
  std::vector<CUgraphNode_st*> tips;

  // Returns whether the stream synchronises implicitly with the legacy default stream.
  bool blocking() const { return (flags & cudaStreamNonBlocking) == 0; }
};

struct CUevent_st {
  int device = 0;
  unsigned flags = cudaEventDefault;
  vgpu::cudart::OperationPtr recorded;  // null if not recorded, which counts as complete
  // Set if the event was recorded in a captured stream: the capture, and the nodes that the event represents.
  std::shared_ptr<vgpu::cudart::Capture> capture;
  std::vector<CUgraphNode_st*> tips;
};

namespace vgpu::cudart {

using Stream = CUstream_st;
using Event = CUevent_st;

// The default stream of the API call that this thread is in: legacy or per thread.
enum class DefaultStream : bool { kLegacy, kPerThread };
DefaultStream& default_stream();

// Returns the stream of a handle: a created one, or a default stream of the current device.
Stream& stream_of(cudaStream_t handle);
Event& event_of(cudaEvent_t handle);

// Returns a name such as "stream 5".
std::string name_of(const Stream& stream);

// Returns the operations that the next operation of the stream depends on.
std::vector<OperationPtr> preceding(const Stream& stream);

// Record and wait are issued to the stream, or added to the graph of its capture. External events become event nodes of
// the graph; other events become dependencies.
enum class External : bool { kNo, kYes };
void issue(Stream& stream, Work work);
void wait_for(Stream& stream, Event& event, External external);
void record(Event& event, Stream& stream, External external);

void synchronize(Stream& stream);

}  // namespace vgpu::cudart
