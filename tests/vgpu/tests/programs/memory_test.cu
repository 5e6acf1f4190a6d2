// SPDX-License-Identifier: Apache-2.0
//
// Tests all kinds of memory, copies between them, and variables of device code.
#include <numeric>

#include "support.h"

namespace programs::memory_test {

__device__ int device_table[8];
__constant__ int constant_table[8];
__managed__ int managed_value = 5;

// The errors here are not sticky, and each test clears those that it causes.
class Memory : public testing::Test {
 protected:
  ~Memory() override { EXPECT_EQ(cudaGetLastError(), cudaSuccess); }
  static void expect_invalid(cudaError_t error) {
    EXPECT_EQ(error, cudaErrorInvalidValue);
    EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
  }
};

TEST_F(Memory, CopiesStayInsideAllocations) {
  const DeviceInts device, other;
  std::vector<int> host(kCount + 1, 3);
  EXPECT_EQ(cudaMemcpy(device, host.data(), kBytes, cudaMemcpyHostToDevice), cudaSuccess);
  if (!is_virtual()) return;  // a driver checks less: its allocations are in larger pages
  expect_invalid(cudaMemcpy(device, host.data(), kBytes + 4, cudaMemcpyHostToDevice));
  expect_invalid(cudaMemcpy(host.data(), device + 1, kBytes, cudaMemcpyDeviceToHost));
  expect_invalid(cudaMemcpy(device, other + 1, kBytes, cudaMemcpyDeviceToDevice));
  expect_invalid(cudaMemset(device + 1, 0, kBytes));
  expect_invalid(cudaMemcpy(host.data(), device + kCount, 4, cudaMemcpyDefault));  // this address is in no allocation
}

TEST_F(Memory, DirectionsAreChecked) {
  const DeviceInts device;
  std::vector<int> host(kCount);
  expect_invalid(cudaMemcpy(host.data(), device, kBytes, cudaMemcpyHostToDevice));
  expect_invalid(cudaMemcpy(device, host.data(), kBytes, cudaMemcpyDeviceToHost));
  EXPECT_EQ(cudaMemcpy(device, host.data(), kBytes, static_cast<cudaMemcpyKind>(7)), cudaErrorInvalidMemcpyDirection);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidMemcpyDirection);
  EXPECT_EQ(cudaMemcpy(device, host.data(), kBytes, cudaMemcpyDefault), cudaSuccess);
}

TEST_F(Memory, FreedOnceAndNeverAgain) {
  int* pointer = nullptr;
  EXPECT_EQ(cudaMalloc(&pointer, 64), cudaSuccess);
  EXPECT_EQ(cudaFree(nullptr), cudaSuccess);
  expect_invalid(cudaFree(pointer + 1));
  EXPECT_EQ(cudaFree(pointer), cudaSuccess);
  expect_invalid(cudaFree(pointer));
}

TEST_F(Memory, FreeWaitsForTheDevice) {
  const Stream stream;
  int *source = nullptr, *target = nullptr;
  const PinnedInts host;
  EXPECT_EQ(cudaMalloc(&source, kBytes), cudaSuccess);
  EXPECT_EQ(cudaMalloc(&target, 4), cudaSuccess);
  launch_fill(source, 8, stream);
  EXPECT_EQ(cudaMemcpyAsync(host, source, kBytes, cudaMemcpyDeviceToHost, stream), cudaSuccess);
  EXPECT_EQ(cudaFree(source), cudaSuccess);
  EXPECT_EQ(host.values(), all(8));
  EXPECT_EQ(cudaFree(target), cudaSuccess);
}

TEST_F(Memory, PageableSourcesAreTakenAtTheCall) {
  const Stream stream;
  const DeviceInts device;
  std::vector<int> host = all(1);
  EXPECT_EQ(cudaMemcpyAsync(device, host.data(), kBytes, cudaMemcpyHostToDevice, stream), cudaSuccess);
  host.assign(kCount, 2);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(device.values(), all(1));
}

TEST_F(Memory, PinnedSourcesAreReadWhenTheCopyRuns) {
  const Stream stream;
  const DeviceInts device;
  const PinnedInts host;
  EXPECT_EQ(cudaMemcpyAsync(device, host, kBytes, cudaMemcpyHostToDevice, stream), cudaSuccess);
  for (int i = 0; i < kCount; ++i) host[i] = 2;
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  expect_unordered(device.values(), 2, -1);
}

TEST_F(Memory, PitchedCopiesMoveRows) {
  constexpr std::size_t kWidth = 5 * sizeof(int), kRows = 3;
  int* device = nullptr;
  std::size_t pitch = 0;
  EXPECT_EQ(cudaMallocPitch(&device, &pitch, kWidth, kRows), cudaSuccess);
  EXPECT_GE(pitch, kWidth);
  std::vector<int> source(15), target(7 * kRows, -1);
  std::iota(source.begin(), source.end(), 0);
  EXPECT_EQ(cudaMemcpy2D(device, pitch, source.data(), kWidth, kWidth, kRows, cudaMemcpyHostToDevice), cudaSuccess);
  EXPECT_EQ(cudaMemcpy2D(target.data(), 7 * sizeof(int), device, pitch, kWidth, kRows, cudaMemcpyDeviceToHost),
            cudaSuccess);
  EXPECT_EQ(target, (std::vector<int>{0, 1, 2, 3, 4, -1, -1, 5, 6, 7, 8, 9, -1, -1, 10, 11, 12, 13, 14, -1, -1}));
  EXPECT_EQ(cudaMemcpy2D(device, kWidth - 1, source.data(), kWidth, kWidth, kRows, cudaMemcpyHostToDevice),
            cudaErrorInvalidPitchValue);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidPitchValue);
  EXPECT_EQ(cudaFree(device), cudaSuccess);
}

TEST_F(Memory, BoxesAreCopiedAndFilled) {
  const cudaExtent extent = make_cudaExtent(2 * sizeof(int), 2, 2);
  cudaPitchedPtr device{};
  EXPECT_EQ(cudaMalloc3D(&device, make_cudaExtent(3 * sizeof(int), 3, 2)), cudaSuccess);
  EXPECT_EQ(cudaMemset3D(device, 0, make_cudaExtent(3 * sizeof(int), 3, 2)), cudaSuccess);
  const std::vector<int> source{1, 2, 3, 4, 5, 6, 7, 8};
  cudaMemcpy3DParms copy{};
  copy.srcPtr = make_cudaPitchedPtr(const_cast<int*>(source.data()), 2 * sizeof(int), 2, 2);
  copy.dstPtr = device;
  copy.dstPos = make_cudaPos(sizeof(int), 1, 0);
  copy.extent = extent;
  copy.kind = cudaMemcpyHostToDevice;
  EXPECT_EQ(cudaMemcpy3D(&copy), cudaSuccess);
  std::vector<int> back(18, -1);
  cudaMemcpy3DParms read{};
  read.srcPtr = device;
  read.dstPtr = make_cudaPitchedPtr(back.data(), 3 * sizeof(int), 3, 3);
  read.extent = make_cudaExtent(3 * sizeof(int), 3, 2);
  read.kind = cudaMemcpyDeviceToHost;
  EXPECT_EQ(cudaMemcpy3D(&read), cudaSuccess);
  EXPECT_EQ(back, (std::vector<int>{0, 0, 0, 0, 1, 2, 0, 3, 4, 0, 0, 0, 0, 5, 6, 0, 7, 8}));
  EXPECT_EQ(cudaFree(device.ptr), cudaSuccess);
}

TEST_F(Memory, VariablesAreReachedByTheirName) {
  const int values[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  int back[8] = {};
  EXPECT_EQ(cudaMemcpyToSymbol(constant_table, values, sizeof values), cudaSuccess);
  EXPECT_EQ(cudaMemcpyToSymbol(device_table, values, 4 * sizeof(int), 4 * sizeof(int)), cudaSuccess);
  EXPECT_EQ(cudaMemcpyFromSymbol(back, device_table, sizeof back), cudaSuccess);
  EXPECT_EQ(std::vector<int>(back, back + 8), (std::vector<int>{0, 0, 0, 0, 1, 2, 3, 4}));
  EXPECT_EQ(cudaMemcpyFromSymbol(back, constant_table, sizeof back), cudaSuccess);
  EXPECT_EQ(back[7], 8);
  std::size_t size = 0;
  EXPECT_EQ(cudaGetSymbolSize(&size, constant_table), cudaSuccess);
  EXPECT_EQ(size, sizeof values);
  expect_invalid(cudaMemcpyToSymbol(device_table, values, sizeof values, 4));
  void* pointer = nullptr;
  EXPECT_EQ(cudaGetSymbolAddress(&pointer, device_table), cudaSuccess);
  EXPECT_EQ(cudaMemset(pointer, 0, sizeof values), cudaSuccess);
  EXPECT_EQ(cudaGetSymbolAddress(&pointer, static_cast<const void*>(&size)), cudaErrorInvalidSymbol);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidSymbol);
}

TEST_F(Memory, ManagedMemoryIsTheSameOnBothSides) {
  EXPECT_EQ(managed_value, 5);
  managed_value = 6;
  int* values = nullptr;
  EXPECT_EQ(cudaMallocManaged(&values, kBytes), cudaSuccess);
  values[0] = 41;
  for (int i = 1; i < kCount; ++i) values[i] = 0;
  launch_increment(values);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(values[0], 42);
  EXPECT_EQ(values[kCount - 1], 1);
  EXPECT_EQ(cudaStreamAttachMemAsync(nullptr, values), cudaSuccess);
  const DeviceInts device;
  expect_invalid(cudaStreamAttachMemAsync(nullptr, static_cast<int*>(device)));
  EXPECT_EQ(cudaFree(values), cudaSuccess);
  EXPECT_EQ(managed_value, 6);
}

TEST_F(Memory, HostMemoryCanBeRegistered) {
  const Stream stream;
  const DeviceInts device;
  std::vector<int> host = all(1);
  EXPECT_EQ(cudaHostRegister(host.data(), kBytes, cudaHostRegisterDefault), cudaSuccess);
  EXPECT_EQ(cudaHostRegister(host.data() + 1, 4, cudaHostRegisterDefault), cudaErrorHostMemoryAlreadyRegistered);
  EXPECT_EQ(cudaGetLastError(), cudaErrorHostMemoryAlreadyRegistered);
  cudaPointerAttributes attributes{};
  EXPECT_EQ(cudaPointerGetAttributes(&attributes, host.data()), cudaSuccess);
  EXPECT_EQ(attributes.type, cudaMemoryTypeHost);

  // Copies are now asynchronous, and kernels can access the memory.
  launch_fill(device, 2, stream);
  EXPECT_EQ(cudaMemcpyAsync(host.data(), device, kBytes, cudaMemcpyDeviceToHost, stream), cudaSuccess);
  expect_unordered(host, 1, 2);
  int* mapped = nullptr;
  EXPECT_EQ(cudaHostGetDevicePointer(&mapped, host.data(), 0), cudaSuccess);
  launch_increment(mapped, stream);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(host, all(3));

  expect_invalid(cudaFreeHost(host.data()));
  EXPECT_EQ(cudaHostUnregister(host.data()), cudaSuccess);
  EXPECT_EQ(cudaHostUnregister(host.data()), cudaErrorHostMemoryNotRegistered);
  EXPECT_EQ(cudaGetLastError(), cudaErrorHostMemoryNotRegistered);
  EXPECT_EQ(cudaMemcpyAsync(host.data(), device, kBytes, cudaMemcpyDeviceToHost, stream), cudaSuccess);
  EXPECT_EQ(host, all(2));  // the memory is pageable again: complete on return
}

TEST_F(Memory, PointersTellWhatTheyPointTo) {
  const DeviceInts device;
  const PinnedInts pinned;
  int local = 0;
  cudaPointerAttributes attributes{};
  EXPECT_EQ(cudaPointerGetAttributes(&attributes, device + 3), cudaSuccess);
  EXPECT_EQ(attributes.type, cudaMemoryTypeDevice);
  EXPECT_EQ(attributes.devicePointer, device + 3);
  EXPECT_EQ(attributes.hostPointer, nullptr);
  EXPECT_EQ(cudaPointerGetAttributes(&attributes, pinned), cudaSuccess);
  EXPECT_EQ(attributes.type, cudaMemoryTypeHost);
  EXPECT_EQ(attributes.hostPointer, static_cast<int*>(pinned));
  EXPECT_EQ(cudaPointerGetAttributes(&attributes, &local), cudaSuccess);
  EXPECT_EQ(attributes.type, cudaMemoryTypeUnregistered);
}

TEST_F(Memory, MoreThanThereIsFails) {
  std::size_t free = 0, total = 0;
  EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  EXPECT_LE(free, total);
  void* pointer = nullptr;
  EXPECT_EQ(cudaMalloc(&pointer, total + 1), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
}

}  // namespace programs::memory_test
