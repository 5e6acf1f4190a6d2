// SPDX-License-Identifier: Apache-2.0
//
// Stream capture: while a stream is captured, work issued to it becomes nodes of a graph.
#pragma once

#include <memory>
#include <vector>

#include "cudart/cuda_api.h"
#include "cudart/graph.h"
#include "cudart/stream.h"

namespace vgpu::cudart {

struct Capture {
  unsigned long long id = 0;
  Stream* origin = nullptr;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  std::uint64_t thread = 0;
  Graph* graph = nullptr;
  bool made_graph = false;       // created for this capture; false if it adds to a graph of the program
  std::vector<Stream*> streams;  // the origin stream and those that joined the capture
  std::vector<Node*> to_join;    // nodes that the origin must depend on when the capture ends
  bool valid = true;
  bool ended = false;
};

cudaStreamCaptureMode& thread_capture_mode();

void begin_capture(Stream& stream, cudaStreamCaptureMode mode, Graph* into, std::vector<Node*> after);
// Ends the capture. Fails if it was invalidated or streams have not joined the origin; it ends in any case.
Graph& end_capture(Stream& stream);

// Adds the work to the graph that the stream is captured into.
Node& capture_work(Stream& stream, Work work);
// Adds the stream to the capture that the event was recorded in; its next node depends on the event's nodes.
void capture_wait(Stream& stream, const Event& event);

// Adds to the dependencies of the stream's next node, or replaces them; replaced nodes no longer need to be joined.
void update_tips(Stream& stream, const std::vector<Node*>& nodes, bool replace);

// Removes a stream that is about to be destroyed from its capture. Fails and invalidates the capture unless another
// stream of it depends on all work captured in this one.
void leave_capture(Stream& stream);

// Returns a captured stream with which work in this stream would synchronise implicitly. Only the legacy stream does
// so, with blocking streams. Returns null if there is none.
const Stream* implicitly_waited_for(const Stream& stream);

// Each of these fails and invalidates the affected captures if CUDA forbids the call during capture.
void require_safe_call();                             // calls that a capture would miss, such as cudaMalloc
void require_not_captured(const Stream& stream);      // waiting for a stream or querying it
void require_not_captured(const Device& device);      // the same for all streams of the device
void require_not_captured(const Event& event);        // the same for an event
void require_no_implicit_wait(const Stream& stream);  // work in the legacy stream while a blocking stream is captured

}  // namespace vgpu::cudart
