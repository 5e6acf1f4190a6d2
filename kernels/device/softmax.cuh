// SPDX-License-Identifier: Apache-2.0
//
// Online softmax of one query, and the keys that it runs over. NaN may be dropped from the running maximum: its own
// exponential is NaN, and therefore so is the sum by which everything of the query is divided.
#pragma once

#include <math_constants.h>

#include "kernels/params.h"

namespace attn::kernels {

__device__ inline SoftmaxState empty_state() { return {-CUDART_INF_F, 0}; }

// What is subtracted from scores before exp: the running maximum, except that -inf becomes 0, because -inf - (-inf)
// would be NaN.
__device__ inline float shift_of(float max) { return max == -CUDART_INF_F ? 0.0f : max; }

// The factor for sums that were made under the maximum `before` when the maximum has become `max`.
__device__ inline float rescale(float before, float max) { return expf(before - shift_of(max)); }

__device__ inline SoftmaxState merge(SoftmaxState a, SoftmaxState b) {
  const float max = fmaxf(a.max, b.max);
  return {max, fmaf(a.sum, rescale(a.max, max), b.sum * rescale(b.max, max))};
}

// The denominator of a row with valid keys. The sum is 0 only where every score is -inf; the weights are then 0 / 0.
__device__ inline float divisor(float sum) { return sum == 0 ? CUDART_NAN_F : sum; }

// The keys of one batch item. Their number never exceeds T, whatever `lengths` and `cu_seqlens` contain.
struct ItemKeys {
  Index first;   // row of k and x of the item's first key
  Index valid;   // keys that are not padding
  Index stored;  // keys that have a row in memory, padding included

  // `params` has T, lengths and cu_seqlens.
  template <class Params>
  __device__ ItemKeys(const Params& params, Index b) : first(b * params.T), valid(params.T), stored(params.T) {
    if (params.cu_seqlens != nullptr) {
      first = params.cu_seqlens[b];
      stored = valid = max(Index{0}, min(params.cu_seqlens[b + 1] - first, params.T));
    } else if (params.lengths != nullptr) {
      valid = max(Index{0}, min(Index{params.lengths[b]}, params.T));
    }
  }
};

// How many of the `most` keys from `begin` on are below `end`.
__device__ inline Index count_keys(Index begin, Index end, Index most) { return max(Index{0}, min(end - begin, most)); }

// How many of the splits have a valid key.
__device__ inline Index splits_with_keys(Index valid, const Split& split) {
  return (valid + split.keys - 1) / split.keys;
}

}  // namespace attn::kernels
