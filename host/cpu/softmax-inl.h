// SPDX-License-Identifier: Apache-2.0
//
// Online softmax of one query over tiles of keys, and the merging of splits of keys.
//
// The running state is (m, l, o): the largest score, the sum of exp(e - m), and the sum of exp(e - m) x. A NaN score
// may be lost in m, but its exponential is NaN and so is the sum l, by which all results of the query are divided.
#if defined(ATTN_CPU_SOFTMAX_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ATTN_CPU_SOFTMAX_INL_H
#undef ATTN_CPU_SOFTMAX_INL_H
#else
#define ATTN_CPU_SOFTMAX_INL_H
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "cpu/rows-inl.h"
#include "cpu/splits.h"

HWY_BEFORE_NAMESPACE();
namespace attn::internal::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// What is subtracted from scores before exp: the largest score, or 0 if that is -inf, since -inf - -inf would be NaN.
HWY_INLINE float shift_of(float max) { return max == -std::numeric_limits<float>::infinity() ? 0.0f : max; }

// Adds `count` scores e [kTileKeys] to the running state and replaces them by exp(e - m). Returns the factor by which
// earlier sums must be scaled.
HWY_INLINE float softmax_tile(std::int64_t count, float* e, Running& running) {
  const Float d;
  std::fill(e + count, e + kTileKeys, -std::numeric_limits<float>::infinity());
  Vector largest = hn::LoadU(d, e);
  for (std::int64_t at = lanes(); at < kTileKeys; at += lanes()) largest = hn::Max(largest, hn::LoadU(d, e + at));
  const float max = std::max(running.max, hn::GetLane(hn::MaxOfLanes(d, largest)));

  Vector sum = zero();
  for (std::int64_t at = 0; at < kTileKeys; at += lanes()) {
    const Vector p = exp(d, hn::Sub(hn::LoadU(d, e + at), set(shift_of(max))));
    sum = hn::Add(sum, p);
    hn::StoreU(p, d, e + at);
  }
  const float scale = max == running.max ? 1.0f : std::exp(running.max - shift_of(max));
  running.sum = running.sum * scale + sum_of_lanes(sum);
  running.max = max;
  return scale;
}

// Merges the splits of one query, running [splits] with the contexts o [D] of the first split and others [splits - 1,
// D] of the rest, into o. Returns the state of the whole row.
HWY_INLINE Running merge_splits(std::int64_t splits, const Running* running, const float* others, std::int64_t D,
                                float* o) {
  Running row = running[0];
  for (std::int64_t c = 1; c < splits; ++c) row.max = std::max(row.max, running[c].max);
  float scales[kMostSplits];
  row.sum = 0;
  for (std::int64_t c = 0; c < splits; ++c) {
    scales[c] = std::exp(running[c].max - shift_of(row.max));
    row.sum += scales[c] * running[c].sum;
  }
  // Only if every score is -inf: the weights are 0 / 0.
  if (row.sum == 0) row.sum = std::numeric_limits<float>::quiet_NaN();
  combine_rows(others, splits - 1, D, scales + 1, 1, scales[0], o);
  for_vectors(D, [&](auto access, std::int64_t at)
                     HWY_ATTR { access.store(hn::Div(access.load(o + at), set(row.sum)), o + at); });
  return row;
}

// weights [T] holds the scores of the first `count` keys on entry, and on return their weights, followed by zeros.
HWY_INLINE void scores_to_weights(std::int64_t count, std::int64_t T, const Running& row, float* weights) {
  for_vectors(count, [&](auto access, std::int64_t at) HWY_ATTR {
    const Vector p = exp(Float(), hn::Sub(access.load(weights + at), set(shift_of(row.max))));
    access.store(hn::Div(p, set(row.sum)), weights + at);
  });
  std::fill(weights + count, weights + T, 0.0f);
}

}  // namespace attn::internal::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
