// SPDX-License-Identifier: Apache-2.0
//
// Sums and maxima over the lanes of a warp and over a block, in an order that the number of threads alone decides. All
// threads take part, and all get the same bits. A maximum drops NaN; the sum of exponentials that goes with it keeps
// it.
#pragma once

namespace attn::kernels {

inline constexpr int kLanes = 32;
inline constexpr unsigned kAllLanes = 0xffffffffu;

__device__ inline int lane_index() { return static_cast<int>(threadIdx.x) % kLanes; }
__device__ inline int warp_index() { return static_cast<int>(threadIdx.x) / kLanes; }

// Over each group of kGroup neighbouring lanes.
template <int kGroup = kLanes>
__device__ inline float sum_lanes(float value) {
  for (int step = kGroup / 2; step > 0; step /= 2) value += __shfl_xor_sync(kAllLanes, value, step);
  return value;
}

template <int kGroup = kLanes>
__device__ inline float max_lanes(float value) {
  for (int step = kGroup / 2; step > 0; step /= 2) value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, step));
  return value;
}

// Over the block. `scratch` [kWarps] is shared memory, free again on return.
template <int kWarps>
__device__ float sum_block(float value, float* scratch) {
  value = sum_lanes(value);
  if (lane_index() == 0) scratch[warp_index()] = value;
  __syncthreads();
  value = 0;
  for (int warp = 0; warp < kWarps; ++warp) value += scratch[warp];
  __syncthreads();
  return value;
}

template <int kWarps>
__device__ float max_block(float value, float* scratch) {
  value = max_lanes(value);
  if (lane_index() == 0) scratch[warp_index()] = value;
  __syncthreads();
  for (int warp = 0; warp < kWarps; ++warp) value = fmaxf(value, scratch[warp]);
  __syncthreads();
  return value;
}

}  // namespace attn::kernels
