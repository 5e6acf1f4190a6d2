// SPDX-License-Identifier: Apache-2.0
//
// Tests the order of asynchronous work: streams, events, the default streams and host functions.
#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <thread>

#include "support.h"

namespace programs::streams_test {

TEST(Streams, WorkInOneStreamRunsInOrder) {
  const Stream stream;
  const DeviceInts device;
  const PinnedInts host;
  launch_fill(device, 7, stream);
  launch_increment(device, stream);
  EXPECT_EQ(cudaMemcpyAsync(host, device, kBytes, cudaMemcpyDeviceToHost, stream), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(host.values(), all(8));
}

TEST(Streams, NothingIsVisibleBeforeItIsWaitedFor) {
  const Stream stream;
  const DeviceInts device;
  const PinnedInts host;
  launch_fill(device, 7, stream);
  EXPECT_EQ(cudaMemcpyAsync(host, device, kBytes, cudaMemcpyDeviceToHost, stream), cudaSuccess);
  expect_unordered(host.values(), -1, 7);
  if (runs_on_demand()) {
    EXPECT_EQ(cudaStreamQuery(stream), cudaErrorNotReady);
    EXPECT_EQ(cudaGetLastError(), cudaErrorNotReady);
  }
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(host.values(), all(7));
  EXPECT_EQ(cudaStreamQuery(stream), cudaSuccess);
}

TEST(Streams, AnEventOrdersTwoStreams) {
  const Stream first, second;
  const Event event(cudaEventDisableTiming);
  const DeviceInts device;
  const PinnedInts host;
  launch_fill(device, 2, first);
  EXPECT_EQ(cudaEventRecord(event, first), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(second, event), cudaSuccess);
  launch_increment(device, second);
  EXPECT_EQ(cudaMemcpyAsync(host, device, kBytes, cudaMemcpyDeviceToHost, second), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(second), cudaSuccess);
  EXPECT_EQ(host.values(), all(3));
}

TEST(Streams, AWaitMeansTheEventAsItWasThen) {
  const Stream first, second;
  const Event event;
  EXPECT_EQ(cudaStreamWaitEvent(second, event), cudaSuccess);  // never recorded: there is nothing to wait for
  EXPECT_EQ(cudaStreamSynchronize(second), cudaSuccess);
  const DeviceInts device;
  launch_fill(device, 5, first);
  EXPECT_EQ(cudaEventRecord(event, first), cudaSuccess);
  EXPECT_EQ(cudaEventSynchronize(event), cudaSuccess);
  EXPECT_EQ(cudaEventQuery(event), cudaSuccess);
  EXPECT_EQ(device.values(), all(5));
}

TEST(Streams, TheLegacyStreamWaitsForBlockingStreamsAndTheyForIt) {
  const Stream blocking(cudaStreamDefault);
  const DeviceInts device;
  const PinnedInts host;
  launch_fill(device, 1, blocking);
  launch_increment(device);  // runs in the legacy stream
  launch_increment(device, blocking);
  EXPECT_EQ(cudaMemcpyAsync(host, device, kBytes, cudaMemcpyDeviceToHost, blocking), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(blocking), cudaSuccess);
  EXPECT_EQ(host.values(), all(3));
}

TEST(Streams, WorkOfADestroyedStreamStillCounts) {
  const DeviceInts device;
  { launch_fill(device, 4, Stream(cudaStreamDefault)); }
  EXPECT_EQ(device.values(), all(4));
}

TEST(Streams, EachThreadHasADefaultStreamOfItsOwn) {
  const DeviceInts device;
  launch_fill(device, 1);
  unsigned long long here = 0, there = 0;
  std::thread([&] {
    launch_increment(device, cudaStreamPerThread);
    EXPECT_EQ(cudaStreamSynchronize(cudaStreamPerThread), cudaSuccess);
    EXPECT_EQ(cudaStreamGetId(cudaStreamPerThread, &there), cudaSuccess);
  }).join();
  EXPECT_EQ(cudaStreamGetId(cudaStreamPerThread, &here), cudaSuccess);
  EXPECT_NE(here, there);
  EXPECT_EQ(device.values(), all(2));
}

struct Call {
  std::atomic<int> calls{0};
  cudaError_t inside = cudaSuccess;
};

TEST(Streams, HostFunctionsRunInOrderAndMayNotCallCuda) {
  const Stream stream;
  Call call;
  EXPECT_EQ(cudaLaunchHostFunc(
                stream,
                [](void* argument) {
                  Call& in = *static_cast<Call*>(argument);
                  ++in.calls;
                  void* pointer = nullptr;
                  in.inside = cudaMalloc(&pointer, 4);
                },
                &call),
            cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(call.calls, 1);
  EXPECT_EQ(call.inside, cudaErrorNotPermitted);
}

TEST(Streams, AHostFunctionCanBeWaitedForWithoutACall) {
  const Stream stream;
  const DeviceInts device;
  const PinnedInts host;
  std::promise<void> ran;
  launch_fill(device, 4, stream);
  EXPECT_EQ(cudaMemcpyAsync(host, device, kBytes, cudaMemcpyDeviceToHost, stream), cudaSuccess);
  EXPECT_EQ(cudaLaunchHostFunc(
                stream, [](void* argument) { static_cast<std::promise<void>*>(argument)->set_value(); }, &ran),
            cudaSuccess);
  EXPECT_EQ(ran.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
  EXPECT_EQ(host.values(), all(4));
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
}

TEST(Streams, AHostFunctionMayTakeALockThatAQueryIsMadeUnder) {
  const Stream stream;
  std::mutex mutex;
  const auto lock_once = [](cudaStream_t, cudaError_t, void* argument) {
    const std::lock_guard<std::mutex> lock(*static_cast<std::mutex*>(argument));
  };
  {
    const std::lock_guard<std::mutex> lock(mutex);
    EXPECT_EQ(cudaStreamAddCallback(stream, lock_once, &mutex, 0), cudaSuccess);
    EXPECT_EQ(cudaStreamQuery(stream), cudaErrorNotReady);
    EXPECT_EQ(cudaGetLastError(), cudaErrorNotReady);
  }
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
}

TEST(Streams, QueriesThatAreRepeatedEnd) {
  const Stream stream;
  const DeviceInts device;
  for (int i = 0; i < 10; ++i) launch_fill(device, i, stream);
  int waits = 0;
  while (cudaStreamQuery(stream) == cudaErrorNotReady) ++waits;
  EXPECT_EQ(cudaStreamQuery(stream), cudaSuccess);
  cudaGetLastError();
  if (runs_on_demand()) EXPECT_EQ(waits, 10);
}

TEST(Streams, EventsTellTimeWhenTheyHaveHappened) {
  const Stream stream;
  const Event start, end, untimed(cudaEventDisableTiming);
  const DeviceInts device;
  float milliseconds = -1;
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventRecord(start, stream), cudaSuccess);
  launch_fill(device, 1, stream);
  EXPECT_EQ(cudaEventRecord(end, stream), cudaSuccess);
  if (runs_on_demand()) EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaErrorNotReady);
  EXPECT_EQ(cudaEventSynchronize(end), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaSuccess);
  EXPECT_GE(milliseconds, 0);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, untimed), cudaErrorInvalidResourceHandle);
  cudaGetLastError();
}

TEST(Streams, PrioritiesAreClamped) {
  int least = 1, greatest = 1, priority = 1;
  EXPECT_EQ(cudaDeviceGetStreamPriorityRange(&least, &greatest), cudaSuccess);
  EXPECT_EQ(least, 0);
  EXPECT_LT(greatest, 0);
  cudaStream_t stream = nullptr;
  EXPECT_EQ(cudaStreamCreateWithPriority(&stream, cudaStreamNonBlocking, -1000), cudaSuccess);
  EXPECT_EQ(cudaStreamGetPriority(stream, &priority), cudaSuccess);
  EXPECT_EQ(priority, greatest);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
}

TEST(Streams, ManyThreadsShareTheDevice) {
  std::vector<std::thread> threads;
  for (int value = 1; value <= 4; ++value)
    threads.emplace_back([value] {
      const Stream stream;
      const DeviceInts device;
      const PinnedInts host;
      launch_fill(device, value, stream);
      for (int i = 0; i < 20; ++i) launch_increment(device, stream);
      EXPECT_EQ(cudaMemcpyAsync(host, device, kBytes, cudaMemcpyDeviceToHost, stream), cudaSuccess);
      EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
      EXPECT_EQ(host.values(), all(value + 20));
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace programs::streams_test
