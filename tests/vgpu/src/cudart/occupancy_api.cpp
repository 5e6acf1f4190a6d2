// SPDX-License-Identifier: Apache-2.0
//
// Occupancy. The number of registers is an estimate, since PTX is not register-allocated; the results are plausible,
// but not those of a compiled kernel.
#include "cudart/kernel.h"
#include "cudart/runtime.h"

using namespace vgpu::cudart;

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, const void* function, int threads,
                                                                   std::size_t dynamic_shared, unsigned flags) {
  return call([&] {
    require(blocks != nullptr && threads > 0 && flags <= cudaOccupancyDisableCachingOverride);
    *blocks =
        resident_blocks(kernel_of(function), runtime().current(), static_cast<std::size_t>(threads), dynamic_shared);
  });
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* function, int threads,
                                                          std::size_t dynamic_shared) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, function, threads, dynamic_shared,
                                                                cudaOccupancyDefault);
}

cudaError_t cudaOccupancyAvailableDynamicSMemPerBlock(std::size_t* bytes, const void* function, int blocks,
                                                      int threads) {
  return call([&] {
    require(bytes != nullptr && blocks > 0 && threads > 0);
    const Device& device = runtime().current();
    const Kernel& kernel = kernel_of(function);
    require(blocks <= resident_blocks(kernel, device, static_cast<std::size_t>(threads), 0));
    const std::size_t share = device.model->shared_per_multiprocessor / static_cast<std::size_t>(blocks);
    const std::size_t taken = device.model->shared_reserved_per_block + info_of(kernel, device).static_shared;
    *bytes = share < taken ? 0 : std::min(share - taken, device.model->shared_per_block_optin);
  });
}
