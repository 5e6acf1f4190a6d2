// SPDX-License-Identifier: Apache-2.0
#include "cudart/device_table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

namespace vgpu::cudart {
namespace {

constexpr int kMiB = 1 << 20;

// The published figures of NVIDIA for T4, A100, RTX 3090, RTX 4090, H100 SXM, B200 and RTX 5090.
constexpr std::array<DeviceModel, 7> kModels{{
    {75, 40, 1024, 16, 64 * kKiB, 64 * kKiB, 0, 4 * kMiB, 256, 5001000, 1590000, 32},
    {80, 108, 2048, 32, 164 * kKiB, 163 * kKiB, kKiB, 40 * kMiB, 5120, 1215000, 1410000, 2},
    {86, 82, 1536, 16, 100 * kKiB, 99 * kKiB, kKiB, 6 * kMiB, 384, 9751000, 1695000, 64},
    {89, 128, 1536, 24, 100 * kKiB, 99 * kKiB, kKiB, 72 * kMiB, 384, 10501000, 2520000, 64},
    {90, 132, 2048, 32, 228 * kKiB, 227 * kKiB, kKiB, 50 * kMiB, 5120, 2619000, 1980000, 2},
    {100, 148, 2048, 32, 228 * kKiB, 227 * kKiB, kKiB, 126 * kMiB, 8192, 3996000, 1965000, 2},
    {120, 170, 1536, 24, 100 * kKiB, 99 * kKiB, kKiB, 96 * kMiB, 512, 14001000, 2407000, 64},
}};

using Integers = std::pair<cudaDeviceAttr, int>;

int clamped(std::size_t value) { return static_cast<int>(std::min<std::size_t>(value, 0x7fffffff)); }

}  // namespace

const DeviceModel* device_model(std::string_view name) {
  if (name.substr(0, 3) == "sm_") name.remove_prefix(3);
  const auto found = std::find_if(kModels.begin(), kModels.end(),
                                  [&](const DeviceModel& model) { return std::to_string(model.architecture) == name; });
  return found == kModels.end() ? nullptr : &*found;
}

cudaDeviceProp properties_of(const DeviceModel& model, int ordinal, std::size_t memory) {
  cudaDeviceProp p{};
  std::snprintf(p.name, sizeof p.name, "Virtual GPU sm_%d", model.architecture);
  std::memcpy(p.uuid.bytes, "virtual gpu 0000", sizeof p.uuid.bytes);
  p.uuid.bytes[15] = static_cast<char>('0' + ordinal);
  p.totalGlobalMem = memory;
  p.sharedMemPerBlock = kDefaultSharedPerBlock;
  p.regsPerBlock = kRegistersPerMultiprocessor;
  p.warpSize = kWarpSize;
  p.memPitch = 0x7fffffff;
  p.maxThreadsPerBlock = kMaxThreadsPerBlock;
  const std::array<int, 3> most_threads{1024, 1024, 64}, most_blocks{0x7fffffff, 65535, 65535};
  std::copy(most_threads.begin(), most_threads.end(), p.maxThreadsDim);
  std::copy(most_blocks.begin(), most_blocks.end(), p.maxGridSize);
  p.totalConstMem = kConstantBytes;
  p.major = model.major();
  p.minor = model.minor();
  p.textureAlignment = 512;
  p.texturePitchAlignment = 32;
  p.multiProcessorCount = model.multiprocessors;
  p.canMapHostMemory = 1;
  p.surfaceAlignment = 512;
  p.concurrentKernels = 1;
  p.pciBusID = ordinal + 1;
  p.asyncEngineCount = 2;
  p.unifiedAddressing = 1;
  p.memoryBusWidth = model.memory_bus_bits;
  p.l2CacheSize = model.l2_bytes;
  p.maxThreadsPerMultiProcessor = model.threads_per_multiprocessor;
  p.streamPrioritiesSupported = 1;
  p.globalL1CacheSupported = 1;
  p.localL1CacheSupported = 1;
  p.sharedMemPerMultiprocessor = model.shared_per_multiprocessor;
  p.regsPerMultiprocessor = kRegistersPerMultiprocessor;
  p.managedMemory = 1;
  p.multiGpuBoardGroupID = ordinal;
  p.concurrentManagedAccess = 1;
  p.computePreemptionSupported = 1;
  p.canUseHostPointerForRegisteredMem = 1;
  p.cooperativeLaunch = 1;
  p.sharedMemPerBlockOptin = model.shared_per_block_optin;
  p.maxBlocksPerMultiProcessor = model.blocks_per_multiprocessor;
  p.reservedSharedMemPerBlock = model.shared_reserved_per_block;
  p.hostRegisterSupported = 1;
  p.memoryPoolsSupported = 1;
  p.hostNumaId = -1;
  p.deviceNumaId = -1;
  return p;
}

bool attribute_of(const DeviceModel& model, const cudaDeviceProp& p, cudaDeviceAttr attribute, int& value) {
  const Integers table[] = {
      {cudaDevAttrMaxThreadsPerBlock, p.maxThreadsPerBlock},
      {cudaDevAttrMaxBlockDimX, p.maxThreadsDim[0]},
      {cudaDevAttrMaxBlockDimY, p.maxThreadsDim[1]},
      {cudaDevAttrMaxBlockDimZ, p.maxThreadsDim[2]},
      {cudaDevAttrMaxGridDimX, p.maxGridSize[0]},
      {cudaDevAttrMaxGridDimY, p.maxGridSize[1]},
      {cudaDevAttrMaxGridDimZ, p.maxGridSize[2]},
      {cudaDevAttrMaxSharedMemoryPerBlock, clamped(p.sharedMemPerBlock)},
      {cudaDevAttrTotalConstantMemory, clamped(p.totalConstMem)},
      {cudaDevAttrWarpSize, p.warpSize},
      {cudaDevAttrMaxPitch, clamped(p.memPitch)},
      {cudaDevAttrMaxRegistersPerBlock, p.regsPerBlock},
      {cudaDevAttrClockRate, model.clock_khz},
      {cudaDevAttrTextureAlignment, clamped(p.textureAlignment)},
      {cudaDevAttrGpuOverlap, 1},
      {cudaDevAttrMultiProcessorCount, p.multiProcessorCount},
      {cudaDevAttrKernelExecTimeout, 0},
      {cudaDevAttrIntegrated, p.integrated},
      {cudaDevAttrCanMapHostMemory, p.canMapHostMemory},
      {cudaDevAttrComputeMode, cudaComputeModeDefault},
      {cudaDevAttrSurfaceAlignment, clamped(p.surfaceAlignment)},
      {cudaDevAttrConcurrentKernels, p.concurrentKernels},
      {cudaDevAttrEccEnabled, p.ECCEnabled},
      {cudaDevAttrPciBusId, p.pciBusID},
      {cudaDevAttrPciDeviceId, p.pciDeviceID},
      {cudaDevAttrPciDomainId, p.pciDomainID},
      {cudaDevAttrTccDriver, p.tccDriver},
      {cudaDevAttrMemoryClockRate, model.memory_clock_khz},
      {cudaDevAttrGlobalMemoryBusWidth, p.memoryBusWidth},
      {cudaDevAttrL2CacheSize, p.l2CacheSize},
      {cudaDevAttrMaxThreadsPerMultiProcessor, p.maxThreadsPerMultiProcessor},
      {cudaDevAttrAsyncEngineCount, p.asyncEngineCount},
      {cudaDevAttrUnifiedAddressing, p.unifiedAddressing},
      {cudaDevAttrTexturePitchAlignment, clamped(p.texturePitchAlignment)},
      {cudaDevAttrComputeCapabilityMajor, p.major},
      {cudaDevAttrComputeCapabilityMinor, p.minor},
      {cudaDevAttrStreamPrioritiesSupported, p.streamPrioritiesSupported},
      {cudaDevAttrGlobalL1CacheSupported, p.globalL1CacheSupported},
      {cudaDevAttrLocalL1CacheSupported, p.localL1CacheSupported},
      {cudaDevAttrMaxSharedMemoryPerMultiprocessor, clamped(p.sharedMemPerMultiprocessor)},
      {cudaDevAttrMaxRegistersPerMultiprocessor, p.regsPerMultiprocessor},
      {cudaDevAttrManagedMemory, p.managedMemory},
      {cudaDevAttrIsMultiGpuBoard, p.isMultiGpuBoard},
      {cudaDevAttrMultiGpuBoardGroupID, p.multiGpuBoardGroupID},
      {cudaDevAttrHostNativeAtomicSupported, p.hostNativeAtomicSupported},
      {cudaDevAttrSingleToDoublePrecisionPerfRatio, model.single_to_double_ratio},
      {cudaDevAttrPageableMemoryAccess, p.pageableMemoryAccess},
      {cudaDevAttrConcurrentManagedAccess, p.concurrentManagedAccess},
      {cudaDevAttrComputePreemptionSupported, p.computePreemptionSupported},
      {cudaDevAttrCanUseHostPointerForRegisteredMem, p.canUseHostPointerForRegisteredMem},
      {cudaDevAttrCooperativeLaunch, p.cooperativeLaunch},
      {cudaDevAttrMaxSharedMemoryPerBlockOptin, clamped(p.sharedMemPerBlockOptin)},
      {cudaDevAttrCanFlushRemoteWrites, 0},
      {cudaDevAttrHostRegisterSupported, p.hostRegisterSupported},
      {cudaDevAttrPageableMemoryAccessUsesHostPageTables, p.pageableMemoryAccessUsesHostPageTables},
      {cudaDevAttrDirectManagedMemAccessFromHost, p.directManagedMemAccessFromHost},
      {cudaDevAttrMaxBlocksPerMultiprocessor, p.maxBlocksPerMultiProcessor},
      {cudaDevAttrMaxPersistingL2CacheSize, p.persistingL2CacheMaxSize},
      {cudaDevAttrMaxAccessPolicyWindowSize, p.accessPolicyMaxWindowSize},
      {cudaDevAttrReservedSharedMemoryPerBlock, clamped(p.reservedSharedMemPerBlock)},
      {cudaDevAttrSparseCudaArraySupported, p.sparseCudaArraySupported},
      {cudaDevAttrHostRegisterReadOnlySupported, p.hostRegisterReadOnlySupported},
      {cudaDevAttrTimelineSemaphoreInteropSupported, p.timelineSemaphoreInteropSupported},
      {cudaDevAttrMemoryPoolsSupported, p.memoryPoolsSupported},
      {cudaDevAttrGPUDirectRDMASupported, p.gpuDirectRDMASupported},
      {cudaDevAttrMemoryPoolSupportedHandleTypes, 0},
      {cudaDevAttrClusterLaunch, p.clusterLaunch},
      {cudaDevAttrIpcEventSupport, p.ipcEventSupported},
      {cudaDevAttrMemSyncDomainCount, 1},
      {cudaDevAttrNumaConfig, cudaDeviceNumaConfigNone},
      {cudaDevAttrNumaId, p.deviceNumaId},
      {cudaDevAttrMpsEnabled, p.mpsEnabled},
      {cudaDevAttrHostNumaId, p.hostNumaId},
  };
  const auto found =
      std::find_if(std::begin(table), std::end(table), [&](const Integers& entry) { return entry.first == attribute; });
  if (found == std::end(table)) return false;
  value = found->second;
  return true;
}

}  // namespace vgpu::cudart
