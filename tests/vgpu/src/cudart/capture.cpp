// SPDX-License-Identifier: Apache-2.0
#include "cudart/capture.h"

#include <algorithm>
#include <set>
#include <utility>

#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

void join(Capture& capture, const std::shared_ptr<Capture>& pointer, Stream& stream, std::vector<Node*> tips) {
  stream.capture = pointer;
  stream.tips = std::move(tips);
  capture.streams.push_back(&stream);
}

// Returns these nodes and all nodes that they depend on.
std::set<const Node*> reachable(const std::vector<Node*>& from) {
  std::set<const Node*> found;
  std::vector<const Node*> open(from.begin(), from.end());
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    if (found.insert(node).second) open.insert(open.end(), node->after.begin(), node->after.end());
  }
  return found;
}

void add_missing(std::vector<Node*>& to, const std::vector<Node*>& from) {
  for (Node* node : from)
    if (std::find(to.begin(), to.end(), node) == to.end()) to.push_back(node);
}

[[noreturn]] void invalidate_and_fail(Capture& capture, cudaError_t code) {
  capture.valid = false;
  fail(code);
}

void require_valid(const Capture& capture) { require(capture.valid, cudaErrorStreamCaptureInvalidated); }

std::vector<Stream*> streams_of(const Device& device) {
  std::vector<Stream*> all;
  for (const auto& [handle, stream] : device.streams) all.push_back(handle);
  for (const auto& [thread, stream] : device.per_thread) all.push_back(stream.get());
  return all;
}

}  // namespace

cudaStreamCaptureMode& thread_capture_mode() {
  thread_local cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  return mode;
}

void begin_capture(Stream& stream, cudaStreamCaptureMode mode, Graph* into, std::vector<Node*> after) {
  require(stream.kind != Stream::Kind::kLegacy, cudaErrorStreamCaptureUnsupported);
  require(stream.capture == nullptr, cudaErrorIllegalState);
  for (const Node* node : after) require(node != nullptr && node->graph == into);
  auto capture = std::make_shared<Capture>();
  capture->id = runtime().next_capture_id();
  capture->origin = &stream;
  capture->mode = mode;
  capture->thread = this_thread();
  capture->made_graph = into == nullptr;
  capture->graph = into == nullptr ? &runtime().keep(std::make_unique<Graph>()) : into;
  runtime().captures.push_back(capture);
  join(*capture, capture, stream, std::move(after));
}

Graph& end_capture(Stream& stream) {
  require(stream.capture != nullptr, cudaErrorIllegalState);
  const std::shared_ptr<Capture> capture = stream.capture;
  require(capture->origin == &stream, cudaErrorStreamCaptureUnmatched);
  require(capture->mode == cudaStreamCaptureModeRelaxed || capture->thread == this_thread(),
          cudaErrorStreamCaptureWrongThread);
  const std::set<const Node*> joined = reachable(stream.tips);
  const bool complete = std::all_of(capture->to_join.begin(), capture->to_join.end(),
                                    [&](const Node* node) { return joined.count(node) != 0; });
  for (Stream* member : capture->streams) {
    member->capture = nullptr;
    member->tips.clear();
  }
  auto& all = runtime().captures;
  all.erase(std::find(all.begin(), all.end(), capture));
  capture->ended = true;
  if (capture->made_graph && !(capture->valid && complete)) runtime().graphs.erase(capture->graph);
  require_valid(*capture);
  require(complete, cudaErrorStreamCaptureUnjoined);
  return *capture->graph;
}

Node& capture_work(Stream& stream, Work work) {
  Capture& capture = *stream.capture;
  require_valid(capture);
  Node& node = add_node(*capture.graph, stream.tips, std::move(work));
  capture.to_join.push_back(&node);
  stream.tips = {&node};
  return node;
}

void capture_wait(Stream& stream, const Event& event) {
  if (stream.capture != nullptr) require_valid(*stream.capture);
  if (event.capture == nullptr) {
    if (event.recorded == nullptr) return;
    invalidate_and_fail(*stream.capture, cudaErrorStreamCaptureIsolation);
  }
  require(!event.capture->ended && event.capture->valid);
  if (stream.capture == nullptr) {
    if (stream.kind == Stream::Kind::kLegacy) invalidate_and_fail(*event.capture, cudaErrorStreamCaptureImplicit);
    join(*event.capture, event.capture, stream, event.tips);
    return;
  }
  if (stream.capture != event.capture) {
    event.capture->valid = false;
    invalidate_and_fail(*stream.capture, cudaErrorStreamCaptureMerge);
  }
  add_missing(stream.tips, event.tips);
}

void update_tips(Stream& stream, const std::vector<Node*>& nodes, bool replace) {
  Capture& capture = *stream.capture;
  require_valid(capture);
  for (const Node* node : nodes) require(node != nullptr && node->graph == capture.graph);
  if (replace) {
    auto& to_join = capture.to_join;
    for (Node* node : stream.tips) to_join.erase(std::remove(to_join.begin(), to_join.end(), node), to_join.end());
    stream.tips.clear();
  }
  add_missing(stream.tips, nodes);
}

void leave_capture(Stream& stream) {
  Capture& capture = *stream.capture;
  std::vector<Node*> tips_of_others;
  for (const Stream* member : capture.streams)
    if (member != &stream) add_missing(tips_of_others, member->tips);
  const std::set<const Node*> waited_for = reachable(tips_of_others);
  const bool has_joined =
      &stream != capture.origin &&
      std::all_of(stream.tips.begin(), stream.tips.end(), [&](Node* tip) { return waited_for.count(tip) != 0; });
  if (!has_joined) invalidate_and_fail(capture, cudaErrorStreamCaptureUnsupported);
  capture.streams.erase(std::find(capture.streams.begin(), capture.streams.end(), &stream));
  stream.capture = nullptr;
}

const Stream* implicitly_waited_for(const Stream& stream) {
  if (stream.kind != Stream::Kind::kLegacy) return nullptr;
  for (const Stream* other : streams_of(*stream.device))
    if (other->capture != nullptr && other->blocking()) return other;
  return nullptr;
}

void require_safe_call() {
  const cudaStreamCaptureMode mode = thread_capture_mode();
  if (mode == cudaStreamCaptureModeRelaxed) return;
  bool safe = true;
  for (const auto& capture : runtime().captures) {
    const bool here = capture->thread == this_thread() && capture->mode != cudaStreamCaptureModeRelaxed;
    const bool elsewhere = mode == cudaStreamCaptureModeGlobal && capture->mode == cudaStreamCaptureModeGlobal;
    if (!here && !elsewhere) continue;
    capture->valid = false;
    safe = false;
  }
  require(safe, cudaErrorStreamCaptureUnsupported);
}

void require_not_captured(const Stream& stream) {
  if (stream.capture != nullptr) invalidate_and_fail(*stream.capture, cudaErrorStreamCaptureUnsupported);
  require_no_implicit_wait(stream);
  require_safe_call();
}

void require_not_captured(const Device& device) {
  for (const Stream* stream : streams_of(device))
    if (stream->capture != nullptr) invalidate_and_fail(*stream->capture, cudaErrorStreamCaptureUnsupported);
  require_safe_call();
}

void require_not_captured(const Event& event) {
  if (event.capture != nullptr) invalidate_and_fail(*event.capture, cudaErrorCapturedEvent);
  require_safe_call();
}

void require_no_implicit_wait(const Stream& stream) {
  const Stream* captured = implicitly_waited_for(stream);
  if (captured != nullptr) invalidate_and_fail(*captured->capture, cudaErrorStreamCaptureImplicit);
}

}  // namespace vgpu::cudart
