// SPDX-License-Identifier: Apache-2.0
//
// Tests libcu++'s asynchronous copies to shared memory: thread-scope and block-scope pipelines, and a barrier that
// counts bytes.
#include <cooperative_groups.h>
#include <cooperative_groups/memcpy_async.h>

#include <cuda/barrier>
#include <cuda/pipeline>

#include "primitives.h"

// Suppresses the warning about shared variables with a constructor. Either every thread runs the constructor, or one
// thread calls init().
#pragma nv_diag_suppress static_var_with_dynamic_init

namespace programs::pipeline_test {

namespace cg = cooperative_groups;

constexpr int kThreads = 128, kTiles = 7, kStages = 3, kCount = kThreads * kTiles;

// Returns, for each thread of a tile, its value plus the value of the mirrored thread, times the 1-based number of the
// tile.
std::vector<int> expected_of(const std::vector<int>& values) {
  std::vector<int> expected;
  for (int i = 0; i < kCount; ++i) {
    const int tile = i / kThreads, thread = i % kThreads;
    expected.push_back((values[i] + values[tile * kThreads + kThreads - 1 - thread]) * (tile + 1));
  }
  return expected;
}

template <class Kernel>
void check(Kernel kernel, int threads = kThreads) {
  const std::vector<int> values = random_numbers(kCount, 1000);
  const DeviceArray<int> in(values), out(kCount);
  kernel<<<1, threads>>>(in.get(), out.get());
  EXPECT_EQ(out.read(), expected_of(values));
}

__device__ int combine(const int* tile, int place) {
  return (tile[threadIdx.x % kThreads] + tile[kThreads - 1 - threadIdx.x % kThreads]) * (place + 1);
}

// Each thread copies its own data and waits only for its own copies.
__global__ void pipeline_of_a_thread(const int* in, int* out) {
  __shared__ int tiles[2][kThreads];
  auto pipeline = cuda::make_pipeline();
  const auto fetch = [&](int tile) {
    pipeline.producer_acquire();
    cuda::memcpy_async(&tiles[tile % 2][threadIdx.x], in + tile * kThreads + threadIdx.x, cuda::aligned_size_t<4>(4),
                       pipeline);
    pipeline.producer_commit();
  };
  fetch(0);
  for (int tile = 0; tile < kTiles; ++tile) {
    if (tile + 1 < kTiles) fetch(tile + 1);
    if (tile + 1 < kTiles) {
      cuda::pipeline_consumer_wait_prior<1>(pipeline);
    } else {
      cuda::pipeline_consumer_wait_prior<0>(pipeline);
    }
    __syncthreads();
    out[tile * kThreads + threadIdx.x] = combine(tiles[tile % 2], tile);
    __syncthreads();
    pipeline.consumer_release();
  }
}

TEST(Pipeline, OfAThread) { check(pipeline_of_a_thread); }

// All threads of the block copy together, several stages ahead.
__global__ void pipeline_of_a_block(const int* in, int* out) {
  __shared__ alignas(16) int tiles[kStages][kThreads];
  __shared__ cuda::pipeline_shared_state<cuda::thread_scope_block, kStages> state;
  const auto block = cg::this_thread_block();
  auto pipeline = cuda::make_pipeline(block, &state);
  for (int tile = 0, fetched = 0; tile < kTiles; ++tile) {
    for (; fetched < kTiles && fetched < tile + kStages; ++fetched) {
      pipeline.producer_acquire();
      cuda::memcpy_async(block, tiles[fetched % kStages], in + fetched * kThreads,
                         cuda::aligned_size_t<16>(kThreads * sizeof(int)), pipeline);
      pipeline.producer_commit();
    }
    pipeline.consumer_wait();
    out[tile * kThreads + threadIdx.x] = combine(tiles[tile % kStages], tile);
    pipeline.consumer_release();
  }
}

TEST(Pipeline, OfABlock) { check(pipeline_of_a_block); }

// One half of the block copies, and the other half computes.
__global__ void producers_and_consumers(const int* in, int* out) {
  __shared__ int tiles[kStages][kThreads];
  __shared__ cuda::pipeline_shared_state<cuda::thread_scope_block, kStages> state;
  const auto block = cg::this_thread_block();
  const auto role = threadIdx.x < kThreads ? cuda::pipeline_role::producer : cuda::pipeline_role::consumer;
  auto pipeline = cuda::make_pipeline(block, &state, role);
  const int thread = static_cast<int>(threadIdx.x) % kThreads;
  for (int tile = 0; tile < kTiles; ++tile) {
    if (role == cuda::pipeline_role::producer) {
      pipeline.producer_acquire();
      cuda::memcpy_async(&tiles[tile % kStages][thread], in + tile * kThreads + thread, sizeof(int), pipeline);
      pipeline.producer_commit();
    } else {
      pipeline.consumer_wait();
      out[tile * kThreads + thread] = combine(tiles[tile % kStages], tile);
      pipeline.consumer_release();
    }
  }
}

TEST(Pipeline, OfProducersAndConsumers) { check(producers_and_consumers, 2 * kThreads); }

// One thread issues bulk copies. Waiting at the barrier includes waiting for their bytes.
__global__ void bulk_copies(const int* in, int* out) {
  using Barrier = cuda::barrier<cuda::thread_scope_block>;
  __shared__ alignas(16) int tile[kThreads];
  __shared__ Barrier barrier;
  if (threadIdx.x == 0) init(&barrier, blockDim.x);
  __syncthreads();
  for (int i = 0; i < kTiles; ++i) {
    Barrier::arrival_token token;
    if (threadIdx.x == 0) {
      cuda::device::memcpy_async_tx(tile, in + i * kThreads, cuda::aligned_size_t<16>(sizeof tile), barrier);
      token = cuda::device::barrier_arrive_tx(barrier, 1, sizeof tile);
    } else {
      token = barrier.arrive();
    }
    barrier.wait(cuda::std::move(token));
    out[i * kThreads + threadIdx.x] = combine(tile, i);
    __syncthreads();
  }
}

TEST(Pipeline, BulkCopies) {
  int major = 0;
  ASSERT_EQ(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0), cudaSuccess);
  if (major < 9) GTEST_SKIP() << "needs sm_90";
  check(bulk_copies);
}

__global__ void copies_of_a_group(const int* in, int* out) {
  __shared__ int tile[kThreads];
  const auto block = cg::this_thread_block();
  for (int i = 0; i < kTiles; ++i) {
    cg::memcpy_async(block, tile, in + i * kThreads, sizeof tile);
    cg::wait(block);
    out[i * kThreads + threadIdx.x] = combine(tile, i);
    block.sync();
  }
}

TEST(Pipeline, CopiesOfAGroup) { check(copies_of_a_group); }

}  // namespace programs::pipeline_test
