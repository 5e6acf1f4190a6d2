// SPDX-License-Identifier: Apache-2.0
//
// Independent elements or rows, distributed over the threads or warps of a grid with a grid-stride loop.
#pragma once

#include "kernels/device/grid.cuh"
#include "kernels/device/rows.cuh"

namespace attn::kernels {

// Calls body(i) for every i < count, each in one thread.
template <class Body>
__device__ void for_each_element(Index count, const Body& body) {
  for (Index i = Index{blockIdx.x} * kRowThreads + threadIdx.x; i < count; i += Index{gridDim.x} * kRowThreads) body(i);
}

// Calls body(i) for every i < count, each in all lanes of one warp.
template <class Body>
__device__ void for_each_warp_item(Index count, const Body& body) {
  for (Index i = Index{blockIdx.x} * kRowWarps + warp_index(); i < count; i += Index{gridDim.x} * kRowWarps) body(i);
}

inline unsigned blocks_for_elements(Index count) { return blocks_for(divide_up(count, kRowThreads)); }
inline unsigned blocks_for_warps(Index count) { return blocks_for(divide_up(count, kRowWarps)); }

}  // namespace attn::kernels
