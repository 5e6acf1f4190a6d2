// SPDX-License-Identifier: Apache-2.0
//
// The calling thread's lane and warp, read again in each phase of a kernel that has no registers to spare. The compiler
// can then not compute what depends on them, such as addresses, in advance and keep it through other phases.
#pragma once

#include "kernels/device/reduce.cuh"

namespace attn::kernels {

__device__ __forceinline__ int read_thread_index() {
  int thread;
  asm volatile("mov.u32 %0, %%tid.x;" : "=r"(thread));
  return thread;
}

struct ThreadPlace {
  int lane, warp;
};

__device__ __forceinline__ ThreadPlace read_thread_place() {
  const int thread = read_thread_index();
  return {thread % kLanes, thread / kLanes};
}

}  // namespace attn::kernels
