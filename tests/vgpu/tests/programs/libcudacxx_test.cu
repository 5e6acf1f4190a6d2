// SPDX-License-Identifier: Apache-2.0
//
// Tests libcu++'s barriers, latches, semaphores and atomics, and the standard types that it provides in device code.
#include <algorithm>
#include <cuda/atomic>
#include <cuda/barrier>
#include <cuda/latch>
#include <cuda/semaphore>
#include <cuda/std/array>
#include <cuda/std/complex>
#include <cuda/std/optional>
#include <cuda/std/span>
#include <numeric>

#include "primitives.h"

namespace programs::libcudacxx_test {

constexpr int kThreads = 128, kBlocks = 6, kAll = kThreads * kBlocks;

// Warps arrive early and do other work before they wait. The barrier's completion function adds up what all threads
// have stored.
__global__ void meet(const int* in, int* out, int rounds) {
  __shared__ int mine[kThreads];
  __shared__ int sum;
  const auto complete = [] {
    sum = 0;
    for (int value : mine) sum += value;
  };
  using Barrier = cuda::barrier<cuda::thread_scope_block, decltype(complete)>;
  __shared__ alignas(Barrier) unsigned char place[sizeof(Barrier)];
  auto* barrier = reinterpret_cast<Barrier*>(place);
  if (threadIdx.x == 0) new (barrier) Barrier(kThreads, complete);
  __syncthreads();
  int value = in[threadIdx.x];
  for (int i = 0; i < rounds; ++i) {
    mine[threadIdx.x] = value;
    auto token = barrier->arrive();
    value = value * 3 % 1009;
    barrier->wait(cuda::std::move(token));
    if (threadIdx.x == 0) out[i] = sum;
    barrier->arrive_and_wait();
  }
}

TEST(Libcudacxx, BarrierWithACompletion) {
  constexpr int kRounds = 5;
  std::vector<int> values = random_numbers(kThreads, 1000), expected;
  const DeviceArray<int> in(values), out(kRounds);
  meet<<<1, kThreads>>>(in.get(), out.get(), kRounds);
  for (int i = 0; i < kRounds; ++i) {
    expected.push_back(std::accumulate(values.begin(), values.end(), 0));
    for (int& value : values) value = value * 3 % 1009;
  }
  EXPECT_EQ(out.read(), expected);
}

struct Shared {
  cuda::std::span<int> published;
  cuda::std::span<int> seen;
  int* ready;
  int* tickets;
  double* sum;
  int* most;
};

// Each block publishes what the next block waits for, in the order in which blocks take tickets.
__global__ void pass_on(Shared shared) {
  __shared__ int ticket;
  cuda::atomic_ref<int, cuda::thread_scope_device> tickets(*shared.tickets);
  if (threadIdx.x == 0) ticket = tickets.fetch_add(1, cuda::std::memory_order_relaxed);
  __syncthreads();
  cuda::atomic_ref<int, cuda::thread_scope_device> ready(*shared.ready);
  if (threadIdx.x == 0) {
    while (ready.load(cuda::std::memory_order_acquire) != ticket) {
    }
    shared.seen[ticket] = ticket == 0 ? 0 : shared.published[ticket - 1];
    shared.published[ticket] = shared.seen[ticket] + ticket + 1;
    ready.store(ticket + 1, cuda::std::memory_order_release);
  }
  cuda::atomic_ref<double, cuda::thread_scope_device>(*shared.sum).fetch_add(0.5 * threadIdx.x);
  cuda::atomic_ref<int, cuda::thread_scope_device> most(*shared.most);
  const int mine = static_cast<int>(threadIdx.x) * 7 % 113 + ticket;
  for (int before = most.load(); before < mine && !most.compare_exchange_weak(before, mine);) {
  }
}

TEST(Libcudacxx, AtomicReferences) {
  const DeviceArray<int> published(kBlocks), seen(kBlocks), counters(3);
  const DeviceArray<double> sum(1);
  pass_on<<<kBlocks, kThreads>>>({{published.get(), kBlocks},
                                  {seen.get(), kBlocks},
                                  counters.get(),
                                  counters.get() + 1,
                                  sum.get(),
                                  counters.get() + 2});
  EXPECT_EQ(published.read(), (std::vector<int>{1, 3, 6, 10, 15, 21}));
  EXPECT_EQ(seen.read(), (std::vector<int>{0, 1, 3, 6, 10, 15}));
  EXPECT_EQ(counters.read(), (std::vector<int>{kBlocks, kBlocks, 112 + kBlocks - 1}));
  EXPECT_EQ(sum.read()[0], 0.5 * kBlocks * (kThreads * (kThreads - 1) / 2));
}

struct Meeting {
  cuda::binary_semaphore<cuda::thread_scope_system> one_at_a_time{1};
  cuda::latch<cuda::thread_scope_system> all_blocks{kBlocks};
};

// One thread of each block performs a plain addition, and reads the sum once all blocks have finished theirs.
__global__ void exclude(Meeting* meeting, int* sum, int* seen) {
  if (threadIdx.x != 0) return;
  meeting->one_at_a_time.acquire();
  *sum += static_cast<int>(blockIdx.x) + 1;
  meeting->one_at_a_time.release();
  meeting->all_blocks.arrive_and_wait();
  seen[blockIdx.x] = *sum;
}

TEST(Libcudacxx, SemaphoreAndLatch) {
  void* managed = nullptr;
  ASSERT_EQ(cudaMallocManaged(&managed, sizeof(Meeting)), cudaSuccess);
  const DeviceArray<int> sum(1), seen(kBlocks);
  exclude<<<kBlocks, kThreads>>>(new (managed) Meeting, sum.get(), seen.get());
  EXPECT_EQ(seen.read(), std::vector<int>(kBlocks, 21));
  EXPECT_EQ(cudaFree(managed), cudaSuccess);
}

using Complex = cuda::std::complex<float>;

// Returns the roots of x^2 + b x + c; real roots are in ascending order.
__device__ cuda::std::array<Complex, 2> roots(float b, float c) {
  const Complex root = cuda::std::sqrt(Complex(b * b - 4 * c));
  return {{(-b - root) * 0.5f, (-b + root) * 0.5f}};
}

__host__ __device__ cuda::std::optional<int> position_of(cuda::std::span<const int> all, int wanted) {
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i] == wanted) return static_cast<int>(i);
  return cuda::std::nullopt;
}

__global__ void compute(cuda::std::span<const int> in, cuda::std::array<float, 2>* errors, int* positions) {
  const auto i = blockIdx.x * blockDim.x + threadIdx.x;
  const float b = static_cast<float>(in[i]), c = static_cast<float>(in[in.size() - 1 - i]);
  const auto root = roots(b, c);
  errors[i] = {cuda::std::abs(root[0] + root[1] + b), cuda::std::abs(root[0] * root[1] - c)};
  const auto near = in.subspan(i / kThreads * kThreads, kThreads);
  positions[i] = position_of(near, static_cast<int>(i) % 1000).value_or(-1);
}

TEST(Libcudacxx, StandardTypes) {
  const std::vector<int> values = random_numbers(kAll, 1000);
  const DeviceArray<int> in(values), positions(kAll);
  const DeviceArray<cuda::std::array<float, 2>> errors(kAll);
  compute<<<kBlocks, kThreads>>>({in.get(), kAll}, errors.get(), positions.get());
  const std::vector<int> found = positions.read();
  const auto results = errors.read();
  for (int i = 0; i < kAll; ++i) {
    EXPECT_LE(results[i][0], 1e-3f) << i;
    EXPECT_LE(results[i][1], 1e-1f) << i;
    const cuda::std::span<const int> near(values.data() + i / kThreads * kThreads, kThreads);
    EXPECT_EQ(found[i], position_of(near, i % 1000).value_or(-1)) << i;
  }
}

}  // namespace programs::libcudacxx_test
