// SPDX-License-Identifier: Apache-2.0
//
// The typed arguments of the backward pass of additive attention, with its workspace.
#pragma once

#include <algorithm>
#include <cstdint>

#include "attn_cuda/attn_cuda.h"
#include "cpu/splits.h"
#include "cpu/workspace.h"

namespace attn::internal::cpu {

struct AdditiveBackward {
  struct Block {
    std::int64_t b, first, last;  // rows first ... last - 1 of [B, Q], which all belong to item b
  };

  std::int64_t B, Q, T, A, D;
  KeyRows keys;
  const float* q;          // [B, Q, A]
  const float* k;          // [B, T, A] or packed
  const float* v;          // [A]
  const float* x;          // [B, T, D] or packed
  const float* lse;        // [B, Q]
  const float* d_o;        // [B, Q, D]
  const float* d_weights;  // [B, Q, T] or null
  float* d_q;              // [B, Q, A] or null
  float* d_k;              // as k, or null
  float* d_v;              // [A] or null
  float* d_x;              // as x, or null
  AdditiveBackwardWorkspace space;
  bool recompute;        // whether the weights are recomputed into the workspace
  const float* weights;  // [B, Q, T], the caller's or the workspace's

  AdditiveBackward(const attn_additive_desc_t& desc, const attn_additive_backward_args_t& args, void* workspace)
      : B(desc.B),
        Q(desc.Q),
        T(desc.T),
        A(desc.A),
        D(desc.D),
        keys{desc.T, args.lengths, args.cu_seqlens},
        q(static_cast<const float*>(args.q)),
        k(static_cast<const float*>(args.k)),
        v(static_cast<const float*>(args.v)),
        x(static_cast<const float*>(args.x)),
        lse(args.lse),
        d_o(static_cast<const float*>(args.d_o)),
        d_weights(static_cast<const float*>(args.d_weights)),
        d_q(static_cast<float*>(args.d_q)),
        d_k(static_cast<float*>(args.d_k)),
        d_v(static_cast<float*>(args.d_v)),
        d_x(static_cast<float*>(args.d_x)),
        space(desc, workspace),
        recompute(args.weights == nullptr),
        weights(recompute ? space.weights : static_cast<const float*>(args.weights)) {}

  // Whether a gradient is wanted that depends on the gradient of the scores.
  bool wants_scores() const { return d_q != nullptr || d_k != nullptr || d_v != nullptr; }

  Block block(std::int64_t index) const {
    const std::int64_t b = index / space.splits.blocks;
    const std::int64_t first = b * Q + index % space.splits.blocks * kBlockQueries;
    return {b, first, std::min(first + kBlockQueries, (b + 1) * Q)};
  }
};

}  // namespace attn::internal::cpu
