// SPDX-License-Identifier: Apache-2.0
#include "cuda/feed.h"

#include <vector>

#include "base/validate.h"
#include "cuda/check.h"

namespace attn::internal::cuda {
namespace {

template <auto Destroy>
struct Destroyer {
  template <class T>
  void operator()(T* object) const noexcept {
    Destroy(object);
  }
};
using PinnedMemory = std::unique_ptr<void, Destroyer<cudaFreeHost>>;
using DeviceMemory = std::unique_ptr<void, Destroyer<cudaFree>>;
using Stream = std::unique_ptr<CUstream_st, Destroyer<cudaStreamDestroy>>;
using Event = std::unique_ptr<CUevent_st, Destroyer<cudaEventDestroy>>;

Event make_event() {
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  return Event(event);
}

// Checked before anything is enqueued: an event recorded during a capture would make the copies part of the graph.
void require_not_captured(cudaStream_t stream) {
  cudaStreamCaptureStatus status{};
  check(cudaStreamIsCapturing(stream, &status), "cudaStreamIsCapturing");
  if (status != cudaStreamCaptureStatusNone) reject("handle", "a stream that is not being captured", "one that is");
}

class CudaFeedSlots final : public FeedSlots {
 public:
  CudaFeedSlots(std::size_t bytes, int count) : bytes_(bytes) {
    const std::size_t all = bytes * static_cast<std::size_t>(count);
    void* memory = nullptr;
    check(cudaHostAlloc(&memory, all, cudaHostAllocDefault), "cudaHostAlloc");
    host_.reset(memory);
    check(cudaMalloc(&memory, all), "cudaMalloc");
    device_.reset(memory);
    // Non-blocking: the handle's stream may be the legacy default stream, which blocking streams synchronise with.
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    stream_.reset(stream);
    for (int slot = 0; slot < count; ++slot) {
      copied_.push_back(make_event());
      released_.push_back(make_event());
    }
  }
  // Waits for the copies; cudaFree then waits for the handle's stream. The next call reports an error that persists.
  ~CudaFeedSlots() override {
    if (cudaStreamSynchronize(stream_.get()) != cudaSuccess) cudaGetLastError();
  }

  // Waiting for an event that was never recorded returns at once.
  void* host_memory(int slot) override {
    check(cudaEventSynchronize(event(copied_, slot)), "cudaEventSynchronize");
    return place(host_, slot);
  }
  void copy_to_device(int slot, std::size_t bytes) override {
    check(cudaStreamWaitEvent(stream_.get(), event(released_, slot), 0), "cudaStreamWaitEvent");
    check(cudaMemcpyAsync(place(device_, slot), place(host_, slot), bytes, cudaMemcpyHostToDevice, stream_.get()),
          "cudaMemcpyAsync");
    check(cudaEventRecord(event(copied_, slot), stream_.get()), "cudaEventRecord");
  }
  void* device_memory(int slot, void* stream) override {
    require_not_captured(static_cast<cudaStream_t>(stream));
    check(cudaStreamWaitEvent(static_cast<cudaStream_t>(stream), event(copied_, slot), 0), "cudaStreamWaitEvent");
    return place(device_, slot);
  }
  void release(int slot, void* stream) override {
    require_not_captured(static_cast<cudaStream_t>(stream));
    check(cudaEventRecord(event(released_, slot), static_cast<cudaStream_t>(stream)), "cudaEventRecord");
  }

 private:
  static cudaEvent_t event(const std::vector<Event>& events, int slot) {
    return events[static_cast<std::size_t>(slot)].get();
  }
  template <class Memory>
  void* place(const Memory& memory, int slot) const {
    return static_cast<std::byte*>(memory.get()) + bytes_ * static_cast<std::size_t>(slot);
  }

  std::size_t bytes_;
  PinnedMemory host_;
  DeviceMemory device_;
  Stream stream_;
  std::vector<Event> copied_;    // recorded after the copy of a slot
  std::vector<Event> released_;  // recorded on the handle's stream when a slot is released
};

}  // namespace

std::unique_ptr<FeedSlots> make_feed(std::size_t bytes, int count) {
  return std::make_unique<CudaFeedSlots>(bytes, count);
}

}  // namespace attn::internal::cuda
