// SPDX-License-Identifier: Apache-2.0
//
// Stream capture.
#include <utility>

#include "cudart/capture.h"
#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

void require_no_ports(const cudaGraphEdgeData* edges, std::size_t count) {
  for (std::size_t i = 0; edges != nullptr && i < count; ++i)
    if (edges[i].from_port != 0 || edges[i].to_port != 0 || edges[i].type != 0) refuse("a graph edge with ports");
}

cudaStreamCaptureStatus status_of(const Stream& stream) {
  if (stream.capture == nullptr) return cudaStreamCaptureStatusNone;
  return stream.capture->valid ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusInvalidated;
}

// The query does not affect a capture, but is invalid for the legacy stream while a blocking stream is captured.
void require_answerable(const Stream& stream) {
  require(implicitly_waited_for(stream) == nullptr, cudaErrorStreamCaptureImplicit);
}

void begin(cudaStream_t stream, cudaStreamCaptureMode mode, Graph* into, std::vector<Node*> after) {
  require(mode >= cudaStreamCaptureModeGlobal && mode <= cudaStreamCaptureModeRelaxed);
  begin_capture(stream_of(stream), mode, into, std::move(after));
}

}  // namespace
}  // namespace vgpu::cudart

using namespace vgpu::cudart;

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  return fallible_call([&] { begin(stream, mode, nullptr, {}); });
}

cudaError_t cudaStreamBeginCaptureToGraph(cudaStream_t stream, cudaGraph_t graph, const cudaGraphNode_t* dependencies,
                                          const cudaGraphEdgeData* edges, std::size_t count,
                                          cudaStreamCaptureMode mode) {
  return fallible_call([&] {
    require(count == 0 || dependencies != nullptr);
    require_no_ports(edges, count);
    begin(stream, mode, &graph_of(graph), {dependencies, dependencies + count});
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return call([&] {
    require(graph != nullptr);
    *graph = nullptr;
    Stream& captured = stream_of(stream);
    const bool made_graph = captured.capture != nullptr && captured.capture->made_graph;
    Graph& made = end_capture(captured);
    // The capture ends nevertheless, since no later call could end it.
    if (fails_now()) {
      if (made_graph) runtime().graphs.erase(&made);
      fail(cudaErrorUnknown);
    }
    *graph = &made;
  });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return call([&] {
    require(status != nullptr);
    require_answerable(stream_of(stream));
    *status = status_of(stream_of(stream));
  });
}

cudaError_t cudaStreamGetCaptureInfo(cudaStream_t handle, cudaStreamCaptureStatus* status, unsigned long long* id,
                                     cudaGraph_t* graph, const cudaGraphNode_t** dependencies,
                                     const cudaGraphEdgeData** edges, std::size_t* count) {
  return call([&] {
    require(status != nullptr && (edges == nullptr || dependencies != nullptr));
    Stream& stream = stream_of(handle);
    require_answerable(stream);
    *status = status_of(stream);
    if (*status != cudaStreamCaptureStatusActive) return;
    if (id != nullptr) *id = stream.capture->id;
    if (graph != nullptr) *graph = stream.capture->graph;
    if (dependencies != nullptr) *dependencies = stream.tips.data();
    if (edges != nullptr) *edges = nullptr;
    if (count != nullptr) *count = stream.tips.size();
  });
}

cudaError_t cudaStreamUpdateCaptureDependencies(cudaStream_t handle, cudaGraphNode_t* dependencies,
                                                const cudaGraphEdgeData* edges, std::size_t count, unsigned flags) {
  return call([&] {
    require(count == 0 || dependencies != nullptr);
    require(flags == cudaStreamAddCaptureDependencies || flags == cudaStreamSetCaptureDependencies);
    require_no_ports(edges, count);
    Stream& stream = stream_of(handle);
    require(stream.capture != nullptr, cudaErrorIllegalState);
    update_tips(stream, {dependencies, dependencies + count}, flags == cudaStreamSetCaptureDependencies);
  });
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  return outcome_of([&] {
    require(mode != nullptr && *mode >= cudaStreamCaptureModeGlobal && *mode <= cudaStreamCaptureModeRelaxed);
    std::swap(*mode, thread_capture_mode());
  });
}
