// SPDX-License-Identifier: Apache-2.0
//
// Compares the counters of three textbook kernels with counts made by hand.
#include <cuda_runtime.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "cudart/vgpu.h"

namespace counters_test {

class Counters : public testing::Test {
 protected:
  void SetUp() override {
    json_ = reinterpret_cast<decltype(json_)>(dlsym(RTLD_DEFAULT, "vgpu_counters_json"));
    reset_ = reinterpret_cast<decltype(reset_)>(dlsym(RTLD_DEFAULT, "vgpu_counters_reset"));
    if (json_ == nullptr || reset_ == nullptr) GTEST_SKIP() << "a GPU has no such counters";
  }

  template <class T>
  static T* zeros(std::size_t count) {
    T* data = nullptr;
    EXPECT_EQ(cudaMalloc(&data, count * sizeof(T)), cudaSuccess);
    EXPECT_EQ(cudaMemset(data, 0, count * sizeof(T)), cudaSuccess);
    return data;
  }

  template <class Launch>
  void count(Launch launch) {
    reset_();
    launch();
    ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    text_ = json_();
  }

  // Returns the value of a member of the JSON object, or of a member of the nested object.
  std::uint64_t value(const std::string& name, const std::string& object = "") const {
    std::size_t at = object.empty() ? 0 : text_.find('"' + object + '"');
    if (at != std::string::npos) at = text_.find('"' + name + "\": ", at);
    EXPECT_NE(at, std::string::npos) << name << " is not in " << text_;
    return at == std::string::npos ? 0 : std::strtoull(text_.c_str() + at + name.size() + 4, nullptr, 10);
  }

 private:
  decltype(&vgpu_counters_json) json_ = nullptr;
  decltype(&vgpu_counters_reset) reset_ = nullptr;
  std::string text_;
};

constexpr int kThreads = 128;

// ---- saxpy ----------------------------------------------------------------------------------------------------------

__global__ void saxpy(int count, float a, const float* x, float* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) y[i] = a * x[i] + y[i];
}

// 1000 elements are processed by 31 full warps and one warp with 8 lanes in bounds. Each lane accesses four bytes, so
// eight lanes share a sector.
TEST_F(Counters, saxpy) {
  constexpr int kCount = 1000;
  float* x = zeros<float>(kCount);
  float* y = zeros<float>(kCount);
  count([=] { saxpy<<<8, kThreads>>>(kCount, 2.0f, x, y); });
  EXPECT_EQ(value("blocks"), 8u);
  EXPECT_EQ(value("warps"), 32u);
  EXPECT_EQ(value("global_loads"), 2u * 32);
  EXPECT_EQ(value("global_stores"), 32u);
  EXPECT_EQ(value("global_load_bytes"), 2u * kCount * 4);
  EXPECT_EQ(value("global_store_bytes"), kCount * 4u);
  EXPECT_EQ(value("global_load_sectors"), 2u * kCount / 8);
  EXPECT_EQ(value("global_store_sectors"), kCount / 8u);
  EXPECT_EQ(value("shared_requests"), 0u);
  EXPECT_EQ(value("barriers"), 0u);
  // Every thread computes its index; threads in bounds also compute the element's offset and the result.
  EXPECT_EQ(value("fma", "thread_instructions"), 8u * kThreads + 2u * kCount);
  // Only in the last warp do some lanes branch past the rest of the kernel.
  EXPECT_EQ(value("branches"), 1u);
  EXPECT_EQ(value("divergent_branches"), 1u);
}

// Because x and y start at the second element, every eight lanes straddle two sectors, and a warp touches five sectors.
TEST_F(Counters, saxpy_misaligned) {
  float* x = zeros<float>(kThreads + 1);
  float* y = zeros<float>(kThreads + 1);
  count([=] { saxpy<<<1, kThreads>>>(kThreads, 2.0f, x + 1, y + 1); });
  EXPECT_EQ(value("global_load_sectors"), 2u * 4 * 5);
  EXPECT_EQ(value("global_store_sectors"), 4u * 5);
}

__global__ void strided(const float* x, float* y, int stride) { y[threadIdx.x] = x[threadIdx.x * stride]; }

TEST_F(Counters, strided) {
  float* x = zeros<float>(32 * 8);
  float* y = zeros<float>(32);
  count([=] { strided<<<1, 32>>>(x, y, 8); });
  EXPECT_EQ(value("global_load_sectors"), 32u);
  count([=] { strided<<<1, 32>>>(x, y, 2); });
  EXPECT_EQ(value("global_load_sectors"), 8u);
  count([=] { strided<<<1, 32>>>(x, y, 0); });
  EXPECT_EQ(value("global_load_sectors"), 1u);
  EXPECT_EQ(value("global_load_bytes"), 128u);
}

// ---- transposition --------------------------------------------------------------------------------------------------

constexpr int kTile = 32;
constexpr int kRows = 8;  // rows of a block of threads

template <int padding>
__global__ void transposed(const float* from, float* to, int size) {
  __shared__ float tile[kTile][kTile + padding];
  int x = blockIdx.x * kTile + threadIdx.x;
  int y = blockIdx.y * kTile + threadIdx.y;
  for (int row = 0; row < kTile; row += kRows) tile[threadIdx.y + row][threadIdx.x] = from[(y + row) * size + x];
  __syncthreads();
  x = blockIdx.y * kTile + threadIdx.x;
  y = blockIdx.x * kTile + threadIdx.y;
  for (int row = 0; row < kTile; row += kRows) to[(y + row) * size + x] = tile[threadIdx.x][threadIdx.y + row];
}

constexpr int kSize = 64;  // 4 tiles with 32 rows each; a warp loads and stores one row
constexpr unsigned kTransfers = 4 * 32;

TEST_F(Counters, transposition_without_padding) {
  const float* from = zeros<float>(kSize * kSize);
  float* to = zeros<float>(kSize * kSize);
  count([=] { transposed<0><<<dim3(2, 2), dim3(kTile, kRows)>>>(from, to, kSize); });
  EXPECT_EQ(value("global_load_sectors"), kSize * kSize / 8u);
  EXPECT_EQ(value("global_store_sectors"), kSize * kSize / 8u);
  EXPECT_EQ(value("shared_requests"), 2 * kTransfers);
  // A row is written in one wavefront. The 32 words of a column are all in the same bank and need 32 wavefronts.
  EXPECT_EQ(value("shared_wavefronts"), kTransfers + 32 * kTransfers);
  EXPECT_EQ(value("shared_conflicts"), 31 * kTransfers);
  EXPECT_EQ(value("barriers"), 4u * kRows);
}

TEST_F(Counters, transposition_with_padding) {
  const float* from = zeros<float>(kSize * kSize);
  float* to = zeros<float>(kSize * kSize);
  count([=] { transposed<1><<<dim3(2, 2), dim3(kTile, kRows)>>>(from, to, kSize); });
  EXPECT_EQ(value("shared_requests"), 2 * kTransfers);
  EXPECT_EQ(value("shared_wavefronts"), 2 * kTransfers);
  EXPECT_EQ(value("shared_conflicts"), 0u);
}

// ---- reduction ------------------------------------------------------------------------------------------------------

// Tree reduction: in successive steps 64, 32, ... 1 threads add.
__global__ void reduced(const float* from, float* to) {
  __shared__ float sums[kThreads];
  sums[threadIdx.x] = from[blockIdx.x * kThreads + threadIdx.x];
  __syncthreads();
#pragma unroll 1
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) to[blockIdx.x] = sums[0];
}

TEST_F(Counters, reduction) {
  constexpr unsigned kBlocks = 3;
  const float* from = zeros<float>(kBlocks * kThreads);
  float* to = zeros<float>(kBlocks);
  count([=] { reduced<<<kBlocks, kThreads>>>(from, to); });
  EXPECT_EQ(value("global_loads"), kBlocks * 4);
  EXPECT_EQ(value("global_load_sectors"), kBlocks * kThreads / 8);
  EXPECT_EQ(value("global_stores"), kBlocks);
  EXPECT_EQ(value("global_store_bytes"), kBlocks * 4);
  EXPECT_EQ(value("global_store_sectors"), kBlocks);
  // Each block executes eight barriers with four warps.
  EXPECT_EQ(value("barriers"), kBlocks * 8 * 4);
  // Each warp stores once. Of the seven steps, the first is executed by two warps and each of the others by one warp,
  // with two loads and a store. The sum is loaded once more.
  const unsigned requests = 4 + (2 + 6) * 3 + 1;
  EXPECT_EQ(value("shared_requests"), kBlocks * requests);
  EXPECT_EQ(value("shared_wavefronts"), kBlocks * requests);
  EXPECT_EQ(value("shared_conflicts"), 0u);
}

// ---- wide, narrow and atomic accesses -------------------------------------------------------------------------------

template <class T>
__global__ void through_shared(T* data, int stride) {
  extern __shared__ char bytes[];
  T* words = reinterpret_cast<T*>(bytes);
  words[threadIdx.x * stride] = data[threadIdx.x];
  __syncwarp();
  data[threadIdx.x] = words[threadIdx.x * stride];
}

// 32 lanes of 8 bytes fill two wavefronts; 32 lanes of 16 bytes fill four.
TEST_F(Counters, wide_accesses) {
  auto* pairs = zeros<float2>(32);
  count([=] { through_shared<float2><<<1, 32, 32 * 8>>>(pairs, 1); });
  EXPECT_EQ(value("shared_wavefronts"), 2u * 2);
  EXPECT_EQ(value("shared_conflicts"), 0u);
  count([=] { through_shared<float2><<<1, 32, 32 * 16>>>(pairs, 2); });
  EXPECT_EQ(value("shared_wavefronts"), 2u * 4);
  EXPECT_EQ(value("shared_conflicts"), 2u * 2);

  auto* fours = zeros<float4>(32);
  count([=] { through_shared<float4><<<1, 32, 32 * 16>>>(fours, 1); });
  EXPECT_EQ(value("shared_wavefronts"), 2u * 4);
  EXPECT_EQ(value("shared_conflicts"), 0u);
  EXPECT_EQ(value("global_load_sectors"), 16u);
}

// Two lanes share a word.
TEST_F(Counters, narrow_accesses) {
  auto* halves = zeros<short>(32);
  count([=] { through_shared<short><<<1, 32, 64>>>(halves, 1); });
  EXPECT_EQ(value("shared_wavefronts"), 2u);
  EXPECT_EQ(value("global_load_sectors"), 2u);
}

__global__ void add_all(int* total) {
  __shared__ int sum;
  if (threadIdx.x == 0) sum = 0;
  __syncwarp();
  atomicAdd(&sum, 1);
  __syncwarp();
  if (threadIdx.x == 0) atomicAdd(total, sum);
}

TEST_F(Counters, atomics) {
  int* total = zeros<int>(1);
  count([=] { add_all<<<1, 32>>>(total); });
  EXPECT_EQ(value("global_atomics"), 1u);
  // The requests are a store, the atomic operation, which is processed one lane at a time, and a load.
  EXPECT_EQ(value("shared_requests"), 3u);
  EXPECT_EQ(value("shared_wavefronts"), 1u + 32 + 1);
}

}  // namespace counters_test
