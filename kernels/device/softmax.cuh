// SPDX-License-Identifier: Apache-2.0
//
// Softmax of one query in pieces. A NaN need not survive in the maximum: its own exponential is NaN, and so the sum, by
// which everything of the query is divided.
#pragma once

#include <math_constants.h>

#include "kernels/params.h"

namespace attn::kernels {

__device__ inline SoftmaxState empty_state() { return {-CUDART_INF_F, 0}; }

// What is subtracted from scores before exp: the largest one, but not -inf, which would make NaN of a -inf that other
// keys outweigh.
__device__ inline float shift_of(float max) { return max == -CUDART_INF_F ? 0.0f : max; }

// The factor for what was summed under the maximum `before`, now that it is `max`.
__device__ inline float rescale(float before, float max) { return expf(before - shift_of(max)); }

__device__ inline SoftmaxState merge(SoftmaxState a, SoftmaxState b) {
  const float max = fmaxf(a.max, b.max);
  return {max, fmaf(a.sum, rescale(a.max, max), b.sum * rescale(b.max, max))};
}

// What the exponentials of a row with valid keys are divided by. 0 only where every score is -inf: the weights are
// 0 / 0.
__device__ inline float divisor(float sum) { return sum == 0 ? CUDART_NAN_F : sum; }

// The keys of item b: where its rows of k and x begin, how many are valid, and how many there are with padding. Never
// more than T, whatever the caller's memory says.
struct Keys {
  Index first, valid, stored;

  // `params` has T, lengths and cu_seqlens.
  template <class Params>
  __device__ Keys(const Params& params, Index b) : first(b * params.T), valid(params.T), stored(params.T) {
    if (params.cu_seqlens != nullptr) {
      first = params.cu_seqlens[b];
      stored = valid = max(Index{0}, min(params.cu_seqlens[b + 1] - first, params.T));
    } else if (params.lengths != nullptr) {
      valid = max(Index{0}, min(Index{params.lengths[b]}, params.T));
    }
  }
};

// How many of `most` keys from `begin` on are valid.
__device__ inline Index keys_from(Index begin, Index valid, Index most) {
  return max(Index{0}, min(valid - begin, most));
}

// Chunks that have a valid key.
__device__ inline Index chunks_with_keys(Index valid, const Split& split) {
  return (valid + split.chunk_keys - 1) / split.chunk_keys;
}

}  // namespace attn::kernels
