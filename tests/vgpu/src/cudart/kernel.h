// SPDX-License-Identifier: Apache-2.0
//
// Kernels: what is checked at a launch, and what a launch does when it runs.
#pragma once

#include <cstddef>

#include "cudart/cuda_api.h"
#include "cudart/registry.h"
#include "cudart/stream.h"
#include "cudart/work.h"

namespace vgpu::cudart {

struct LaunchShape {
  dim3 grid, block;
  std::size_t dynamic_shared = 0;
  bool cooperative = false;
};

// By the address of a host stub or by handle; fails with cudaErrorInvalidDeviceFunction.
Kernel& kernel_of(const void* function);

LoadedModule::KernelInfo info_of(const Kernel& kernel, const Device& device);
Kernel::Attributes attributes_of(const Kernel& kernel, const Device& device);

// Checks the launch as CUDA does and takes the arguments.
KernelWork prepare(const Kernel& kernel, Device& device, const LaunchShape& shape, void* const* arguments);

// The same for a node of a graph.
KernelWork prepare(const cudaKernelNodeParams* parameters, Device& device);

void launch(const void* function, const LaunchShape& shape, void* const* arguments, cudaStream_t stream);

void perform_kernel(const KernelWork& work);

// Says what was found, and fails with the error that CUDA has for it.
[[noreturn]] void fail(const Finding& finding);

// Of a thread: as estimated, but no more than let the largest block of the kernel run.
std::size_t registers_of(const LoadedModule::KernelInfo& info);

// Blocks of the kernel that fit one multiprocessor at a time.
int resident_blocks(const Kernel& kernel, const Device& device, std::size_t threads, std::size_t dynamic_shared);

}  // namespace vgpu::cudart
