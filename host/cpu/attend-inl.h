// SPDX-License-Identifier: Apache-2.0
//
// The forward pass of every attention, given a function that computes its scores. One task computes a block of queries
// over a split of keys, tile by tile; a second phase merges the splits of each query. Scores are kept on the stack, and
// in `weights` if the caller wants the weights.
#if defined(ATTN_CPU_ATTEND_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ATTN_CPU_ATTEND_INL_H
#undef ATTN_CPU_ATTEND_INL_H
#else
#define ATTN_CPU_ATTEND_INL_H
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/parallel.h"
#include "cpu/rows-inl.h"
#include "cpu/softmax-inl.h"
#include "cpu/splits.h"
#include "cpu/workspace.h"

HWY_BEFORE_NAMESPACE();
namespace attn::internal::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

struct Attention {
  std::int64_t B, Q, T, D;
  KeyRows keys;
  const float* x;  // [B, T, D] or packed
  float* o;        // [B, Q, D]
  float* weights;  // [B, Q, T] or null
  float* lse;      // [B, Q] or null
};

// A block of queries, rows first ... last - 1 of [B, Q], and the number of their keys.
struct Block {
  std::int64_t b, first, last, count;

  Block(const Attention& all, const Splits& splits, std::int64_t index)
      : b(index / splits.blocks),
        first(b * all.Q + index % splits.blocks * kBlockQueries),
        last(std::min(first + kBlockQueries, (b + 1) * all.Q)),
        count(all.keys.valid(b)) {}
};

// The context [D] of a split of keys. That of the first split is in the output.
HWY_INLINE float* context_of(const Attention& all, const ForwardWorkspace& space, std::int64_t row,
                             std::int64_t split) {
  return split == 0 ? all.o + row * all.D : space.contexts + (row * (space.splits.count - 1) + split - 1) * all.D;
}

template <class Scores>
HWY_INLINE void attend_split(const Attention& all, const ForwardWorkspace& space, const Block& block,
                             std::int64_t split, const Scores& scores) {
  const std::int64_t splits = space.splits.count, D = all.D;
  for (std::int64_t row = block.first; row < block.last; ++row) {
    space.states[row * splits + split] = Running();
    std::fill_n(context_of(all, space, row, split), D, 0.0f);
  }
  const auto [begin, end] = space.splits.keys_of(split, block.count);
  for (std::int64_t j = begin; j < end; j += kTileKeys) {
    const std::int64_t count = std::min(kTileKeys, end - j);
    for (std::int64_t row = block.first; row < block.last; ++row) {
      HWY_ALIGN float e[kTileKeys];
      scores(block.b, row, j, count, e);
      if (all.weights != nullptr) std::copy_n(e, count, all.weights + row * all.T + j);
      const float scale = softmax_tile(count, e, space.states[row * splits + split]);
      combine_rows(all.x + (all.keys.first(block.b) + j) * D, count, D, e, 1, scale,
                   context_of(all, space, row, split));
    }
  }
}

HWY_INLINE void finish_row(const Attention& all, const ForwardWorkspace& space, std::int64_t count, std::int64_t row) {
  Running whole;
  if (count > 0)
    whole = merge_splits(space.splits.count, space.states + row * space.splits.count, context_of(all, space, row, 1),
                         all.D, all.o + row * all.D);
  if (all.weights != nullptr) scores_to_weights(count, all.T, whole, all.weights + row * all.T);
  if (all.lse != nullptr) all.lse[row] = whole.max + std::log(whole.sum);
}

// scores(b, row, j, count, e) writes the scores of query `row` of [B, Q] and keys j ... j + count - 1 of item b to
// e [count].
template <class Scores>
HWY_INLINE void attend(const Attention& all, const Scores& scores, void* workspace, int threads) {
  const ForwardWorkspace space(all.B, all.Q, all.T, all.D, workspace);
  const Splits& splits = space.splits;
  parallel_for(threads, all.B * splits.blocks * splits.count, [&](std::int64_t task) HWY_ATTR {
    attend_split(all, space, Block(all, splits, task / splits.count), task % splits.count, scores);
  });
  parallel_for(threads, all.B * splits.blocks, [&](std::int64_t task) HWY_ATTR {
    const Block block(all, splits, task);
    for (std::int64_t row = block.first; row < block.last; ++row) finish_row(all, space, block.count, row);
  });
}

}  // namespace attn::internal::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
