// SPDX-License-Identifier: Apache-2.0
//
// Kernels: the checks at a launch, and its execution.
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

// Finds a kernel by the address of its host stub or by handle. Fails with cudaErrorInvalidDeviceFunction.
Kernel& kernel_of(const void* function);

LoadedModule::KernelInfo info_of(const Kernel& kernel, const Device& device);
Kernel::Attributes attributes_of(const Kernel& kernel, const Device& device);

// Checks the launch as CUDA does and copies the arguments.
KernelWork prepare(const Kernel& kernel, Device& device, const LaunchShape& shape, void* const* arguments);

// The same for a node of a graph.
KernelWork prepare(const cudaKernelNodeParams* parameters, Device& device);

void launch(const void* function, const LaunchShape& shape, void* const* arguments, cudaStream_t stream);

void perform_kernel(const KernelWork& work);

// Prints the finding and fails with CUDA's error code for it.
[[noreturn]] void fail(const Finding& finding);

// The number of registers per thread is an estimate, limited so that the kernel's largest block can run.
std::size_t registers_of(const LoadedModule::KernelInfo& info);

// Returns the number of blocks of the kernel that can be resident on a multiprocessor.
int resident_blocks(const Kernel& kernel, const Device& device, std::size_t threads, std::size_t dynamic_shared);

}  // namespace vgpu::cudart
