// SPDX-License-Identifier: Apache-2.0
//
// The stream semantics of a feed, on the virtual GPU, where (without a VGPU_SEED) no work of a stream runs before
// something waits for it: copies have a stream of their own, no batch overwrites one that is still being read, only
// attn_feed_fill waits, nothing is allocated after creation, and every CUDA call may fail. Runs with VGPU_LEAKS=1,
// which reports allocations that remain at the end.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "attn_cuda/feed.hpp"
#include "cudart/find_vgpu.h"

namespace attn::test {
namespace {

using Values = std::vector<float>;
using Counter = unsigned long long();

constexpr std::size_t kSize = 40, kBytes = kSize * sizeof(float);

Values batch(int n) { return Values(kSize, static_cast<float>(n)); }

class FeedStreams : public testing::Test {
 protected:
  FeedStreams() {
    for (cudaStream_t* stream : {&stream_, &other_})
      EXPECT_EQ(cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking), cudaSuccess);
    handle_.set_stream(stream_);
  }
  ~FeedStreams() override {
    for (cudaStream_t stream : {stream_, other_}) EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  }

  static void send(Feed& feed, int n) {
    std::memcpy(feed.fill(), batch(n).data(), kBytes);
    feed.send(kBytes);
  }
  // The contents once the work of `stream` has completed, without waiting for anything else.
  static Values read(const void* pointer, cudaStream_t stream) {
    Values values(kSize);
    EXPECT_EQ(cudaMemcpyAsync(values.data(), pointer, kBytes, cudaMemcpyDeviceToHost, stream), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    return values;
  }
  // Enqueues work that reads a batch.
  static void keep(const void* taken, const Buffer<float>& copy, cudaStream_t stream) {
    EXPECT_EQ(cudaMemcpyAsync(copy.data(), taken, kBytes, cudaMemcpyDeviceToDevice, stream), cudaSuccess);
  }

  cudaStream_t stream_ = nullptr, other_ = nullptr;
  Handle handle_{ATTN_BACKEND_CUDA};
};

TEST_F(FeedStreams, CopiesStandInAStreamOfTheirOwn) {
  for (cudaStream_t stream : {stream_, cudaStream_t{}}) {
    handle_.set_stream(stream);
    Feed feed(handle_, kBytes);
    for (int n : {1, 2}) send(feed, n);
    const void* const slot = feed.take();
    EXPECT_EQ(read(slot, stream), batch(1));
    feed.take();
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    send(feed, 3);
    EXPECT_EQ(cudaStreamQuery(stream), cudaSuccess) << "the copy was enqueued on the handle's stream";
    EXPECT_EQ(feed.take(), slot);
    EXPECT_EQ(read(slot, stream), batch(3));
  }
}

// None of the work of the handle's stream has run when the host sends the last batch: fill waits for copies, copies
// wait for the slots that were recycled, and so on.
TEST_F(FeedStreams, ABatchStandsUntilTheHandlesStreamIsThroughWithIt) {
  for (const int slots : {2, 3}) {
    SCOPED_TRACE(slots);
    Feed feed(handle_, kBytes, slots);
    std::vector<Buffer<float>> copies;
    for (int n = 0; n < 12; ++n) copies.emplace_back(handle_, kSize);
    int sent = 0;
    for (int n = 0; n < 12; ++n) {
      for (; sent < n + slots - 1; ++sent) send(feed, sent);
      keep(feed.take(), copies[static_cast<std::size_t>(n)], stream_);
    }
    for (int n = 0; n < 12; ++n) EXPECT_EQ(copies[static_cast<std::size_t>(n)].download(), batch(n)) << n;
  }
}

TEST_F(FeedStreams, FillWaitsForACopyAlone) {
  Feed feed(handle_, kBytes);
  Buffer<float> copy(handle_, batch(-1));
  handle_.synchronize();
  for (int n : {1, 2}) send(feed, n);
  feed.take();
  const void* const second = feed.take();
  keep(second, copy, stream_);
  feed.fill();
  EXPECT_EQ(cudaStreamQuery(stream_), cudaErrorNotReady) << "the handle's stream was waited for";
  EXPECT_EQ(copy.download(), batch(2));
}

TEST_F(FeedStreams, TheStreamIsTheHandlesAtThatTime) {
  Feed feed(handle_, kBytes);
  Buffer<float> copies[] = {{handle_, batch(-1)}, {handle_, batch(-1)}};
  for (int n : {1, 2}) send(feed, n);
  const void* const first = feed.take();
  handle_.synchronize();  // waits for the batch too, which otherwise only `stream_` waits for
  handle_.set_stream(other_);
  keep(first, copies[0], other_);
  feed.take();  // recycles the first slot once the work of `other_` has completed
  send(feed, 3);
  const void* const third = feed.take();
  keep(third, copies[1], other_);
  EXPECT_EQ(cudaStreamQuery(stream_), cudaSuccess) << "something was enqueued on the handle's former stream";
  EXPECT_EQ(read(copies[1].data(), other_), batch(3));
  EXPECT_EQ(read(copies[0].data(), other_), batch(1));
}

TEST_F(FeedStreams, WaitInFillAloneAndAllocateNothing) {
  const auto allocations = find_vgpu<Counter>("vgpu_allocations"), waits = find_vgpu<Counter>("vgpu_synchronizations");
  Feed feed(handle_, kBytes);
  send(feed, 0);
  const unsigned long long allocated = allocations(), waited = waits();
  for (int n = 1; n < 9; ++n) {
    feed.take();
    EXPECT_EQ(waits(), waited + static_cast<unsigned>(n) - 1);
    feed.fill();
    EXPECT_EQ(waits(), waited + static_cast<unsigned>(n));
    feed.send(0);
  }
  EXPECT_EQ(allocations(), allocated);
}

TEST_F(FeedStreams, ACaptureIsRefusedAndGoesOn) {
  Feed feed(handle_, kBytes);
  const Buffer<float> copy(handle_, kSize);
  for (int n : {1, 2}) send(feed, n);
  const void* const first = feed.take();
  ASSERT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeGlobal), cudaSuccess);
  try {
    feed.take();
    ADD_FAILURE() << "expected an error, got none";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "invalid argument: handle: expected a stream that is not being captured, got one that is");
  }
  keep(first, copy, stream_);
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamEndCapture(stream_, &graph), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  EXPECT_EQ(read(feed.take(), stream_), batch(2));
}

// The default stream must not be used while a stream that waits for it is being captured.
TEST_F(FeedStreams, ACaptureOfAnotherStreamGoesOnToo) {
  handle_.set_stream(nullptr);
  Feed feed(handle_, kBytes);
  const Buffer<float> copy(handle_, kSize);
  for (int n : {1, 2}) send(feed, n);
  const void* const first = feed.take();
  cudaStream_t blocking = nullptr;
  ASSERT_EQ(cudaStreamCreate(&blocking), cudaSuccess);
  ASSERT_EQ(cudaStreamBeginCapture(blocking, cudaStreamCaptureModeGlobal), cudaSuccess);
  EXPECT_THROW(feed.take(), Error);
  keep(first, copy, blocking);
  cudaGraph_t graph = nullptr;
  EXPECT_EQ(cudaStreamEndCapture(blocking, &graph), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(blocking), cudaSuccess);
  EXPECT_EQ(read(feed.take(), nullptr), batch(2));
}

// Each CUDA call fails once.
class FeedFailures : public FeedStreams {
 protected:
  static std::size_t free_memory() {
    std::size_t free = 0, total = 0;
    EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
    return free;
  }
  // The first word of an error message is the name of the call.
  void note_failure() {
    const std::string message = attn_last_error();
    failed_.insert(message.substr(0, message.find(':')));
    EXPECT_EQ(cudaGetLastError(), cudaSuccess) << "left for another call to report";
  }

  decltype(&vgpu_calls) calls_ = find_vgpu<decltype(vgpu_calls)>("vgpu_calls");
  decltype(&vgpu_fail_call) fail_call_ = find_vgpu<decltype(vgpu_fail_call)>("vgpu_fail_call");
  std::set<std::string> failed_;
};

TEST_F(FeedFailures, OfCreateLeaveNothing) {
  const std::size_t free = free_memory();
  const unsigned long long before = calls_();
  std::optional<Feed> whole(std::in_place, handle_, kBytes);
  const unsigned long long count = calls_() - before;
  whole.reset();
  for (unsigned long long n = 1; n <= count; ++n) {
    SCOPED_TRACE(testing::Message() << "call " << n << " of " << count);
    fail_call_(n);
    EXPECT_THROW(Feed(handle_, kBytes), Error);
    fail_call_(0);
    note_failure();
    EXPECT_EQ(free_memory(), free);
  }
  EXPECT_EQ(failed_, (std::set<std::string>{"cudaHostAlloc", "cudaMalloc", "cudaStreamCreateWithFlags",
                                            "cudaEventCreateWithFlags"}));
}

TEST_F(FeedFailures, OfDestroyLeaveNothing) {
  const std::size_t free = free_memory();
  attn_feed_t feed = nullptr;
  ASSERT_EQ(attn_feed_create(handle_.get(), kBytes, 2, &feed), ATTN_SUCCESS);
  const unsigned long long before = calls_();
  fail_call_(1);
  EXPECT_EQ(attn_feed_destroy(feed), ATTN_SUCCESS);
  fail_call_(0);
  EXPECT_EQ(calls_() - before, 1u);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess) << "left for another call to report";
  EXPECT_EQ(free_memory(), free);
}

TEST_F(FeedFailures, OfLaterCallsPassWhenTheseAreRepeated) {
  const auto repeated = [&](const auto& call) {
    try {
      return call();
    } catch (const Error&) {
      note_failure();
      return call();
    }
  };
  // Runs with the n-th call failing. Returns the number of calls.
  const auto run = [&](unsigned long long n) {
    Feed feed(handle_, kBytes);
    std::vector<const void*> taken;
    const auto send_repeated = [&](int of) {
      std::memcpy(repeated([&] { return feed.fill(); }), batch(of).data(), kBytes);
      repeated([&] { return feed.send(kBytes), 0; });
    };
    const unsigned long long before = calls_();
    fail_call_(n);
    send_repeated(0);
    for (int of = 1; of < 6; ++of) {
      taken.push_back(repeated([&] { return feed.take(); }));
      send_repeated(of);
    }
    taken.push_back(repeated([&] { return feed.take(); }));
    fail_call_(0);
    const unsigned long long count = calls_() - before;
    EXPECT_EQ(read(taken[4], stream_), batch(4));
    EXPECT_EQ(read(taken[5], stream_), batch(5));
    EXPECT_EQ(taken[5], taken[1]);
    return count;
  };
  const unsigned long long count = run(0);
  for (unsigned long long n = 1; n <= count; ++n) {
    SCOPED_TRACE(testing::Message() << "call " << n << " of " << count);
    run(n);
  }
  EXPECT_EQ(failed_, (std::set<std::string>{"cudaEventSynchronize", "cudaStreamWaitEvent", "cudaMemcpyAsync",
                                            "cudaEventRecord"}));
}

}  // namespace
}  // namespace attn::test
