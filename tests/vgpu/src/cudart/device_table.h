// SPDX-License-Identifier: Apache-2.0
//
// The properties in which the supported GPU models differ. All others are the same for every architecture.
#pragma once

#include <cstddef>
#include <string_view>

#include "cudart/cuda_api.h"

namespace vgpu::cudart {

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kDefaultSharedPerBlock = 48 * kKiB;
constexpr int kWarpSize = 32;
constexpr int kMaxThreadsPerBlock = 1024;
constexpr int kRegistersPerMultiprocessor = 65536;
constexpr std::size_t kConstantBytes = 64 * kKiB;

struct DeviceModel {
  int architecture;  // compute capability: 90 for sm_90
  int multiprocessors;
  int threads_per_multiprocessor;
  int blocks_per_multiprocessor;
  std::size_t shared_per_multiprocessor;
  std::size_t shared_per_block_optin;
  std::size_t shared_reserved_per_block;  // bytes reserved on the multiprocessor for each resident block
  int l2_bytes;
  int memory_bus_bits;
  int memory_clock_khz;
  int clock_khz;
  int single_to_double_ratio;

  int major() const { return architecture / 10; }
  int minor() const { return architecture % 10; }
};

// `name` is "sm_90" or "90". Returns null if there is no such model.
const DeviceModel* device_model(std::string_view name);

cudaDeviceProp properties_of(const DeviceModel& model, int ordinal, std::size_t memory);

// Returns false if there is no such attribute.
bool attribute_of(const DeviceModel& model, const cudaDeviceProp& properties, cudaDeviceAttr attribute, int& value);

}  // namespace vgpu::cudart
