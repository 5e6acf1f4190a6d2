// SPDX-License-Identifier: Apache-2.0
//
// Copies of 16 bytes from global to shared memory that the copying thread does not wait for (cp.async). On devices
// older than sm_80 they are loads and stores.
#pragma once

namespace attn::kernels {

// Stores zeros where `exists` is false; `from` is not read then.
__device__ inline void copy_or_clear(void* to, const void* from, bool exists) {
#if __CUDA_ARCH__ >= 800
  asm volatile(
      "cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(static_cast<unsigned>(__cvta_generic_to_shared(to))),
      "l"(__cvta_generic_to_global(from)), "r"(exists ? 16 : 0)
      : "memory");
#else
  *static_cast<uint4*>(to) = exists ? *static_cast<const uint4*>(from) : uint4{};
#endif
}

__device__ inline void copy_16_bytes(void* to, const void* from) {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(static_cast<unsigned>(__cvta_generic_to_shared(to))),
               "l"(__cvta_generic_to_global(from))
               : "memory");
#else
  *static_cast<uint4*>(to) = *static_cast<const uint4*>(from);
#endif
}

// Waits for all copies of the calling thread. A barrier makes those of other threads visible.
__device__ inline void wait_for_copies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}

}  // namespace attn::kernels
