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

// Asked before anything is put into the stream: an event recorded in a capture would draw the copies into it.
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
    // Non-blocking: the handle's stream may be the default one, which others wait for.
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    stream_.reset(stream);
    for (int slot = 0; slot < count; ++slot) {
      arrived_.push_back(make_event());
      given_back_.push_back(make_event());
    }
  }
  // For the copies; cudaFree then waits for the handle's stream. An error that lasts is the next call's to report.
  ~CudaFeedSlots() override {
    if (cudaStreamSynchronize(stream_.get()) != cudaSuccess) cudaGetLastError();
  }

  // An event that has not been recorded yet holds nobody up.
  void* fill(int slot) override {
    check(cudaEventSynchronize(event(arrived_, slot)), "cudaEventSynchronize");
    return place(host_, slot);
  }
  void send(int slot, std::size_t bytes) override {
    check(cudaStreamWaitEvent(stream_.get(), event(given_back_, slot), 0), "cudaStreamWaitEvent");
    check(cudaMemcpyAsync(place(device_, slot), place(host_, slot), bytes, cudaMemcpyHostToDevice, stream_.get()),
          "cudaMemcpyAsync");
    check(cudaEventRecord(event(arrived_, slot), stream_.get()), "cudaEventRecord");
  }
  void* take(int slot, void* stream) override {
    require_not_captured(static_cast<cudaStream_t>(stream));
    check(cudaStreamWaitEvent(static_cast<cudaStream_t>(stream), event(arrived_, slot), 0), "cudaStreamWaitEvent");
    return place(device_, slot);
  }
  void give_back(int slot, void* stream) override {
    require_not_captured(static_cast<cudaStream_t>(stream));
    check(cudaEventRecord(event(given_back_, slot), static_cast<cudaStream_t>(stream)), "cudaEventRecord");
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
  std::vector<Event> arrived_;     // a slot's copy is over
  std::vector<Event> given_back_;  // the handle's stream is through with a slot
};

}  // namespace

std::unique_ptr<FeedSlots> make_feed(std::size_t bytes, int count) {
  return std::make_unique<CudaFeedSlots>(bytes, count);
}

}  // namespace attn::internal::cuda
