// SPDX-License-Identifier: Apache-2.0
//
// Tests every way to launch a kernel, and every query about kernels.
#include <cooperative_groups.h>

#include <string>

#include "support.h"

namespace programs::launches_test {

struct Large {
  double values[20];
  char last;
};

__global__ void unpack(char tag, Large large, short number, int* out) {
  out[0] = tag;
  out[1] = static_cast<int>(large.values[19]);
  out[2] = large.last;
  out[3] = number;
}

template <class T>
__global__ void typed(T* values, T value) {
  values[threadIdx.x] = value;
}

__global__ void coordinates(int* out) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned threads = blockDim.x * blockDim.y * blockDim.z;
  out[block * threads + thread] = static_cast<int>(block * 1000 + thread);
}

// Each block adds to its own value what all blocks stored before the grid barrier.
__global__ void cooperative(int* stored, int* sums) {
  stored[blockIdx.x] = static_cast<int>(blockIdx.x) + 1;
  cooperative_groups::this_grid().sync();
  int sum = 0;
  for (unsigned i = 0; i < gridDim.x; ++i) sum += stored[i];
  sums[blockIdx.x] = sum;
}

__global__ void static_shared(int* values) {
  __shared__ int shared[1024];
  shared[threadIdx.x] = static_cast<int>(threadIdx.x);
  __syncthreads();
  values[threadIdx.x] = shared[blockDim.x - 1 - threadIdx.x];
}

// Blocks have twelve warps, among which the registers of a multiprocessor cannot be divided evenly.
__global__ void __launch_bounds__(384) many_values(int* values) {
  int mine[400];
#pragma unroll
  for (int i = 0; i < 400; ++i) mine[i] = values[i] * values[0];
#pragma unroll
  for (int i = 0; i < 400; ++i) values[i] = mine[i] + mine[399 - i];
}

class Launches : public testing::Test {
 protected:
  ~Launches() override { EXPECT_EQ(cudaGetLastError(), cudaSuccess); }
  int* pointer() { return device_; }
  const DeviceInts device_;
};

TEST_F(Launches, ArgumentsArriveWhateverTheirSizes) {
  Large large{};
  large.values[19] = 77;
  large.last = 5;
  unpack<<<1, 1>>>('x', large, -3, device_);
  const std::vector<int> out = device_.values();
  EXPECT_EQ(std::vector<int>(out.begin(), out.begin() + 4), (std::vector<int>{'x', 77, 5, -3}));
}

TEST_F(Launches, TemplatesAreKernelsOfTheirOwn) {
  typed<int><<<1, 10>>>(device_, 3);
  EXPECT_EQ(device_.values()[9], 3);
  typed<float><<<1, 10>>>(reinterpret_cast<float*>(pointer()), 1.0f);
  EXPECT_EQ(device_.values()[9], 0x3f800000);
}

TEST_F(Launches, BlocksAndThreadsHaveThreeCoordinates) {
  coordinates<<<dim3(2, 3, 2), dim3(4, 2, 3)>>>(device_);
  const std::vector<int> out = device_.values();
  for (int i = 0; i < 12 * 24; ++i) ASSERT_EQ(out[static_cast<std::size_t>(i)], i / 24 * 1000 + i % 24);
}

TEST_F(Launches, ByFunctionAndByHandle) {
  int *values = device_, value = 11, count = kCount;
  void* arguments[] = {&values, &value, &count};
  EXPECT_EQ(cudaLaunchKernel(fill, dim3(kBlocks), dim3(kThreads), arguments, 0, nullptr), cudaSuccess);
  EXPECT_EQ(device_.values(), all(11));
  cudaKernel_t kernel = nullptr;
  EXPECT_EQ(cudaGetKernel(&kernel, fill), cudaSuccess);
  value = 12;
  EXPECT_EQ(
      cudaLaunchKernel(reinterpret_cast<const void*>(kernel), dim3(kBlocks), dim3(kThreads), arguments, 0, nullptr),
      cudaSuccess);
  EXPECT_EQ(device_.values(), all(12));
  EXPECT_EQ(cudaKernelSetAttributeForDevice(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, 50000, 0),
            cudaSuccess);
  cudaFuncAttributes attributes{};
  EXPECT_EQ(cudaFuncGetAttributes(&attributes, fill), cudaSuccess);
  EXPECT_EQ(attributes.maxDynamicSharedSizeBytes, 50000);
  const char* name = nullptr;
  EXPECT_EQ(cudaFuncGetName(&name, fill), cudaSuccess);
  EXPECT_NE(std::string(name).find("fill"), std::string::npos);
}

TEST_F(Launches, WithAttributes) {
  const Stream stream;
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(kBlocks);
  config.blockDim = dim3(kThreads);
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = 1;
  int properties = 0;
  EXPECT_EQ(cudaDeviceGetAttribute(&properties, cudaDevAttrComputeCapabilityMajor, 0), cudaSuccess);
  if (properties < 9) config.numAttrs = 0;
  EXPECT_EQ(cudaLaunchKernelEx(&config, fill, pointer(), 13, int{kCount}), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(device_.values(), all(13));
}

TEST_F(Launches, BlocksOfACooperativeGridMeet) {
  constexpr int kGrid = 7;
  int *stored = device_, *sums = pointer() + 100;
  void* arguments[] = {&stored, &sums};
  EXPECT_EQ(cudaLaunchCooperativeKernel(cooperative, dim3(kGrid), dim3(1), arguments, 0, nullptr), cudaSuccess);
  const std::vector<int> out = device_.values();
  for (std::size_t i = 0; i < kGrid; ++i) EXPECT_EQ(out[100 + i], 28);
}

TEST_F(Launches, ACooperativeGridHasToFitTheDevice) {
  int *stored = device_, *sums = device_;
  void* arguments[] = {&stored, &sums};
  EXPECT_EQ(cudaLaunchCooperativeKernel(cooperative, dim3(1 << 20), dim3(1), arguments, 0, nullptr),
            cudaErrorCooperativeLaunchTooLarge);
  EXPECT_EQ(cudaGetLastError(), cudaErrorCooperativeLaunchTooLarge);
}

TEST_F(Launches, KernelsAreDescribed) {
  cudaFuncAttributes attributes{};
  EXPECT_EQ(cudaFuncGetAttributes(&attributes, static_shared), cudaSuccess);
  EXPECT_EQ(attributes.sharedSizeBytes, 4096u);
  EXPECT_EQ(attributes.maxThreadsPerBlock, 1024);
  EXPECT_GT(attributes.numRegs, 0);
  cudaDeviceProp properties{};
  EXPECT_EQ(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
  EXPECT_EQ(attributes.binaryVersion, properties.major * 10 + properties.minor);
  EXPECT_LE(attributes.ptxVersion, attributes.binaryVersion);
  std::size_t offset = 0, size = 0;
  EXPECT_EQ(cudaFuncGetParamInfo(reinterpret_cast<const void*>(unpack), 1, &offset, &size), cudaSuccess);
  EXPECT_EQ(offset, 8u);
  EXPECT_EQ(size, sizeof(Large));
  EXPECT_EQ(cudaFuncGetParamInfo(reinterpret_cast<const void*>(unpack), 4, &offset, &size), cudaErrorInvalidValue);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
}

TEST_F(Launches, SharedMemoryAndThreadsLimitResidency) {
  cudaDeviceProp properties{};
  EXPECT_EQ(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
  int blocks = 0;
  EXPECT_EQ(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, static_shared, 1024, 0), cudaSuccess);
  EXPECT_EQ(blocks, properties.maxThreadsPerMultiProcessor / 1024);
  const auto per_block = 32 * 1024 + 4096 + properties.reservedSharedMemPerBlock;
  EXPECT_EQ(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, static_shared, 32, 32 * 1024), cudaSuccess);
  EXPECT_EQ(blocks, static_cast<int>(properties.sharedMemPerMultiprocessor / per_block));
  int grid = 0, block = 0;
  EXPECT_EQ(cudaOccupancyMaxPotentialBlockSize(&grid, &block, fill, 0, 0), cudaSuccess);
  EXPECT_GE(block, 32);
  EXPECT_GE(grid, properties.multiProcessorCount);
  std::size_t dynamic = 0;
  EXPECT_EQ(cudaOccupancyAvailableDynamicSMemPerBlock(&dynamic, fill, 2, 128), cudaSuccess);
  EXPECT_LE(dynamic, properties.sharedMemPerMultiprocessor / 2);
}

TEST_F(Launches, TheLargestBlockOfAKernelFits) {
  int blocks = 0;
  EXPECT_EQ(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, many_values, 384, 0), cudaSuccess);
  EXPECT_GE(blocks, 1);
  cudaFuncAttributes attributes{};
  EXPECT_EQ(cudaFuncGetAttributes(&attributes, many_values), cudaSuccess);
  EXPECT_LE(attributes.numRegs * 384, 64 * 1024);
}

TEST_F(Launches, CodeThatTheProgramLoadsItself) {
  const char* code = R"(
.version 8.0
.target sm_75
.address_size 64
.visible .global .align 4 .u32 scale = 6;
.visible .entry scaled(.param .u64 p0, .param .u32 p1)
{
  .reg .b32 %r<4>;
  .reg .b64 %rd<4>;
  ld.param.u64 %rd1, [p0];
  ld.param.u32 %r1, [p1];
  cvta.to.global.u64 %rd2, %rd1;
  mov.u64 %rd3, scale;
  ld.global.u32 %r2, [%rd3];
  mul.lo.s32 %r3, %r1, %r2;
  st.global.u32 [%rd2], %r3;
  ret;
}
)";
  cudaLibrary_t library = nullptr;
  ASSERT_EQ(cudaLibraryLoadData(&library, code, nullptr, nullptr, 0, nullptr, nullptr, 0), cudaSuccess);
  cudaKernel_t kernel = nullptr;
  EXPECT_EQ(cudaLibraryGetKernel(&kernel, library, "missing"), cudaErrorSymbolNotFound);
  EXPECT_EQ(cudaGetLastError(), cudaErrorSymbolNotFound);
  ASSERT_EQ(cudaLibraryGetKernel(&kernel, library, "scaled"), cudaSuccess);
  int *values = device_, factor = 7;
  void* arguments[] = {&values, &factor};
  EXPECT_EQ(cudaLaunchKernel(reinterpret_cast<const void*>(kernel), dim3(1), dim3(1), arguments, 0, nullptr),
            cudaSuccess);
  EXPECT_EQ(device_.values()[0], 42);
  void* scale = nullptr;
  std::size_t bytes = 0;
  EXPECT_EQ(cudaLibraryGetGlobal(&scale, &bytes, library, "scale"), cudaSuccess);
  EXPECT_EQ(bytes, 4u);
  EXPECT_EQ(cudaMemset(scale, 0, bytes), cudaSuccess);
  EXPECT_EQ(cudaLaunchKernel(reinterpret_cast<const void*>(kernel), dim3(1), dim3(1), arguments, 0, nullptr),
            cudaSuccess);
  EXPECT_EQ(device_.values()[0], 0);
  EXPECT_EQ(cudaLibraryUnload(library), cudaSuccess);
}

}  // namespace programs::launches_test
