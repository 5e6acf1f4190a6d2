// SPDX-License-Identifier: Apache-2.0
//
// Operations in different streams, or nodes of a graph, that access the same memory: a race is reported if nothing
// orders them, whichever ran first, and nothing is reported if something does.
#include "findings.h"

namespace work_order_test {

using faults::Faults;

constexpr int kCount = 1000;
constexpr std::size_t kBytes = kCount * sizeof(int);

__global__ void produce(int* data, int value) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < kCount) data[i] = value;
}
__global__ void consume(const int* data, int* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < kCount) out[i] = data[i];
}
__global__ void count(int* counter) { atomicAdd(counter, 1); }
__global__ void read_one(const int* data, int* out, int index) { *out = data[index]; }
__global__ void write_byte(char* data, int index) { data[index] = 1; }

class WorkOrder : public Faults {
 protected:
  WorkOrder() { reset(); }

  void make(int* data, cudaStream_t stream, int value = 1) { produce<<<4, 256, 0, stream>>>(data, value); }
  void use(const int* data, int* out, cudaStream_t stream) { consume<<<4, 256, 0, stream>>>(data, out); }
  // Makes later work in `later` wait for the work enqueued so far in `earlier`.
  void order(cudaStream_t earlier, cudaStream_t later) {
    EXPECT_EQ(cudaEventRecord(event_, earlier), cudaSuccess);
    EXPECT_EQ(cudaStreamWaitEvent(later, event_), cudaSuccess);
  }

  // Expects a race between the two operations, in both orders of their execution.
  template <class A, class B>
  void expect_race(const std::vector<std::string>& words, A a, B b) {
    for (const bool first_comes_first : {true, false}) {
      SCOPED_TRACE(first_comes_first);
      Faults::expect_finding(cudaErrorLaunchFailure, words, [&] {
        a(first_);
        b(second_);
        // The work whose stream the host queries runs first; the other work runs at the final synchronisation.
        cudaStreamQuery(first_comes_first ? first_ : second_);
      });
      TearDown();
      reset();
    }
  }
  void reset() {
    for (cudaStream_t* stream : {&first_, &second_}) cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking);
    cudaEventCreateWithFlags(&event_, cudaEventDisableTiming);
    data_ = zeros<int>(kCount);
    other_ = zeros<int>(kCount);
    out_ = zeros<int>(kCount);
    cudaDeviceSynchronize();
  }

  cudaStream_t first_ = nullptr, second_ = nullptr;
  cudaEvent_t event_ = nullptr;
  int *data_ = nullptr, *other_ = nullptr, *out_ = nullptr;
};

// ---- streams --------------------------------------------------------------------------------------------------------

TEST_F(WorkOrder, kernels_that_write_and_read) {
  expect_race(
      {"race: ", "read by kernel ", "consume", "write by kernel ", "produce", "in stream ", "nothing orders them",
       "(4000 bytes)"},
      [&](cudaStream_t stream) { make(data_, stream); }, [&](cudaStream_t stream) { use(data_, out_, stream); });
}

TEST_F(WorkOrder, kernels_that_write) {
  expect_race(
      {"race: write by kernel ", "and write by kernel ", "byte 0 of allocation "},
      [&](cudaStream_t stream) { make(data_, stream, 1); }, [&](cudaStream_t stream) { make(data_, stream, 2); });
}

TEST_F(WorkOrder, kernels_that_share_nothing_or_only_read) {
  expect_clean([&] {
    make(data_, first_);
    make(other_, second_);
  });
  expect_clean([&] {
    use(data_, other_, first_);
    use(data_, out_, second_);
  });
}

// Adjacent bytes of one word are distinct memory locations.
TEST_F(WorkOrder, kernels_that_write_neighbouring_bytes) {
  char* bytes = zeros<char>(8);
  cudaDeviceSynchronize();
  expect_clean([&] {
    write_byte<<<1, 1, 0, first_>>>(bytes, 2);
    write_byte<<<1, 1, 0, second_>>>(bytes, 3);
  });
  expect_finding(cudaErrorLaunchFailure, {"byte 2 of allocation "}, [&] {
    write_byte<<<1, 1, 0, first_>>>(bytes, 2);
    write_byte<<<1, 1, 0, second_>>>(bytes, 2);
  });
}

TEST_F(WorkOrder, kernels_in_one_stream) {
  expect_clean([&] {
    make(data_, first_);
    use(data_, out_, first_);
    make(data_, first_);
  });
}

TEST_F(WorkOrder, events) {
  expect_clean([&] {
    make(data_, first_);
    order(first_, second_);
    use(data_, out_, second_);
    order(second_, first_);
    make(data_, first_);
  });
  // The event was recorded before the work that it should have captured.
  expect_finding(cudaErrorLaunchFailure, {"race: "}, [&] {
    order(first_, second_);
    make(data_, first_);
    use(data_, out_, second_);
  });
}

TEST_F(WorkOrder, order_through_a_third_stream) {
  expect_clean([&] {
    make(data_, first_);
    order(first_, cudaStreamPerThread);
    order(cudaStreamPerThread, second_);
    use(data_, out_, second_);
  });
}

// The writer is ordered after the later reader but not after the earlier one.
TEST_F(WorkOrder, reader_that_is_not_the_last_one) {
  expect_finding(cudaErrorLaunchFailure, {"read by kernel ", "write by kernel "}, [&] {
    use(data_, out_, first_);
    use(data_, other_, second_);
    order(second_, cudaStreamPerThread);
    make(data_, cudaStreamPerThread);
  });
}

TEST_F(WorkOrder, the_host_waits) {
  expect_clean([&] {
    make(data_, first_);
    cudaStreamSynchronize(first_);
    use(data_, out_, second_);
    cudaEventRecord(event_, second_);
    cudaEventSynchronize(event_);
    make(data_, first_);
    while (cudaStreamQuery(first_) == cudaErrorNotReady) cudaGetLastError();
    use(data_, out_, second_);
    cudaDeviceSynchronize();
    make(data_, first_);
  });
}

// One operation has already run because the host waited for another one, but that does not order later work after it.
TEST_F(WorkOrder, the_host_waits_for_something_else) {
  expect_finding(cudaErrorLaunchFailure, {"race: "}, [&] {
    make(data_, first_);
    cudaEventRecord(event_, first_);
    make(other_, first_);
    use(data_, out_, second_);
    cudaEventSynchronize(event_);
  });
}

TEST_F(WorkOrder, legacy_stream) {
  cudaStream_t blocking = nullptr;
  ASSERT_EQ(cudaStreamCreate(&blocking), cudaSuccess);
  expect_clean([&] {
    make(data_, blocking);
    use(data_, out_, nullptr);
    make(data_, blocking);
    cudaStreamDestroy(blocking);
    use(data_, out_, nullptr);
  });
  expect_finding(cudaErrorLaunchFailure, {"in the legacy default stream"}, [&] {
    make(data_, nullptr);
    use(data_, out_, first_);
  });
}

// Atomic operations of two kernels do not race with each other, but an atomic operation races with a plain access.
TEST_F(WorkOrder, atomic_operations) {
  expect_clean([&] {
    count<<<2, 32, 0, first_>>>(data_);
    count<<<2, 32, 0, second_>>>(data_);
  });
  expect_race(
      {"race: ", "count", "read_one"}, [&](cudaStream_t stream) { count<<<1, 1, 0, stream>>>(data_); },
      [&](cudaStream_t stream) { read_one<<<1, 1, 0, stream>>>(data_, out_, 0); });
}

// ---- copies, fills, allocations -------------------------------------------------------------------------------------

TEST_F(WorkOrder, fills) {
  expect_race(
      {"the fill of 4000 bytes", "kernel "}, [&](cudaStream_t stream) { cudaMemsetAsync(data_, 1, kBytes, stream); },
      [&](cudaStream_t stream) { use(data_, out_, stream); });
}

TEST_F(WorkOrder, copies) {
  const auto copy = [&](cudaStream_t stream) {
    cudaMemcpyAsync(other_, data_, kBytes, cudaMemcpyDeviceToDevice, stream);
  };
  expect_race(
      {"read by the copy of 4000 bytes", "write by kernel "}, [&](cudaStream_t stream) { make(data_, stream); }, copy);
  expect_race(
      {"write by the copy of 4000 bytes", "read by kernel "}, [&](cudaStream_t stream) { use(other_, out_, stream); },
      copy);
}

TEST_F(WorkOrder, copies_to_one_place_in_host_memory) {
  int* host = nullptr;
  ASSERT_EQ(cudaMallocHost(&host, kBytes), cudaSuccess);
  expect_finding(cudaErrorLaunchFailure, {"write by the copy of 4000 bytes"}, [&] {
    cudaMemcpyAsync(host, data_, kBytes, cudaMemcpyDeviceToHost, first_);
    cudaMemcpyAsync(host, other_, kBytes, cudaMemcpyDeviceToHost, second_);
  });
}

// A blocking copy within the device is asynchronous with respect to the host.
TEST_F(WorkOrder, blocking_copies_within_the_device) {
  expect_finding(cudaErrorLaunchFailure, {"the copy of 4000 bytes", "in the legacy default stream"}, [&] {
    cudaMemcpy(other_, data_, kBytes, cudaMemcpyDeviceToDevice);
    use(other_, out_, first_);
  });
}

TEST_F(WorkOrder, rows_of_two_copies) {
  char* matrix = zeros<char>(8 * 64);
  char* rows = zeros<char>(8 * 32);
  cudaDeviceSynchronize();
  const auto copy = [&](std::size_t column, cudaStream_t stream) {
    cudaMemcpy2DAsync(matrix + column, 64, rows, 32, 32, 8, cudaMemcpyDeviceToDevice, stream);
  };
  expect_clean([&] {
    copy(0, first_);
    copy(32, second_);
  });
  expect_finding(cudaErrorLaunchFailure, {"byte 31 of allocation "}, [&] {
    copy(0, first_);
    copy(31, second_);
  });
}

TEST_F(WorkOrder, memory_used_before_it_is_allocated) {
  int* memory = nullptr;
  expect_clean([&] {
    cudaMallocAsync(&memory, kBytes, first_);
    order(first_, second_);
    make(memory, second_);
    order(second_, first_);
    cudaFreeAsync(memory, first_);
  });
  expect_finding(cudaErrorLaunchFailure, {"the allocation of that memory in stream ", "write by kernel "}, [&] {
    cudaMallocAsync(&memory, kBytes, first_);
    make(memory, second_);
  });
}

// If the free happens to run first, the kernel accesses freed memory.
TEST_F(WorkOrder, memory_freed_before_it_is_used) {
  for (const bool freed_first : {false, true}) {
    SCOPED_TRACE(freed_first);
    int* memory = nullptr;
    cudaMallocAsync(&memory, kBytes, first_);
    cudaDeviceSynchronize();
    testing::internal::CaptureStderr();
    make(memory, second_);
    cudaFreeAsync(memory, first_);
    cudaStreamQuery(freed_first ? first_ : second_);
    EXPECT_NE(cudaDeviceSynchronize(), cudaSuccess);
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(said.find("write by the release of that memory in stream ") != std::string::npos ||
                said.find("(4000 bytes, freed)") != std::string::npos)
        << said;
    TearDown();
    reset();
  }
}

// ---- graphs ---------------------------------------------------------------------------------------------------------

// Captures both operations and launches the graph.
template <class A, class B>
void launch_graph(cudaStream_t first, cudaStream_t second, A a, B b, bool ordered) {
  cudaEvent_t fork = nullptr, join = nullptr;
  cudaEventCreate(&fork);
  cudaEventCreate(&join);
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  EXPECT_EQ(cudaStreamBeginCapture(first, cudaStreamCaptureModeRelaxed), cudaSuccess);
  if (!ordered) cudaEventRecord(fork, first);
  a(first);
  if (ordered) cudaEventRecord(fork, first);
  cudaStreamWaitEvent(second, fork);
  b(second);
  cudaEventRecord(join, second);
  cudaStreamWaitEvent(first, join);
  EXPECT_EQ(cudaStreamEndCapture(first, &graph), cudaSuccess);
  EXPECT_EQ(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(cudaGraphLaunch(exec, first), cudaSuccess);
}

TEST_F(WorkOrder, nodes_of_a_graph) {
  const auto a = [&](cudaStream_t stream) { make(data_, stream); };
  const auto b = [&](cudaStream_t stream) { use(data_, out_, stream); };
  // The two nodes are connected by an edge, and successive launches of a graph are ordered.
  expect_clean([&] { launch_graph(first_, second_, a, b, true); });
  expect_finding(cudaErrorLaunchFailure, {"race: ", "produce", "consume", "in a graph in stream "},
                 [&] { launch_graph(first_, second_, a, b, false); });
}

TEST_F(WorkOrder, node_of_a_graph_and_a_stream) {
  expect_finding(cudaErrorLaunchFailure, {"in a graph in stream ", "the fill of 4000 bytes"}, [&] {
    launch_graph(
        first_, second_, [&](cudaStream_t stream) { make(data_, stream); },
        [&](cudaStream_t stream) { make(other_, stream); }, false);
    cudaMemsetAsync(other_, 0, kBytes, second_);
  });
}

}  // namespace work_order_test
