// SPDX-License-Identifier: Apache-2.0
//
// The layouts of workspaces. Constructed from a null pointer, a layout computes how many bytes it needs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "attn_cuda/attn_cuda.h"
#include "base/layout.h"
#include "cpu/split.h"

namespace attn::internal::cpu {

struct ForwardWorkspace {
  Split split;
  Running* states;  // [B, Q, chunks]
  float* contexts;  // [B, Q, chunks - 1, D], of all chunks but the first, whose context is in the output
  std::size_t bytes;

  ForwardWorkspace(std::int64_t B, std::int64_t Q, std::int64_t T, std::int64_t D, void* workspace) : split(Q, T) {
    WorkspaceAllocator allocator(workspace);
    states = allocator.allocate<Running>(B * Q * split.chunks);
    contexts = allocator.allocate<float>(B * Q * (split.chunks - 1) * D);
    bytes = allocator.bytes();
  }
};

struct AdditiveBackwardWorkspace {
  Split split;
  std::int64_t row_keys;  // T rounded up to a multiple of kGroupKeys
  float* weights;         // [B, Q, T], used if the caller passes none
  float* d_e;             // [B, Q, row_keys]
  float* means;           // [B, Q, chunks], sum_j alpha_ij g_ij over the keys of the chunk
  float* d_v;             // [B, A]
  std::size_t bytes;

  AdditiveBackwardWorkspace(const attn_additive_desc_t& desc, void* workspace)
      : split(desc.Q, desc.T), row_keys(divide_up(desc.T, kGroupKeys) * kGroupKeys) {
    WorkspaceAllocator allocator(workspace);
    weights = allocator.allocate<float>(desc.B * desc.Q * desc.T);
    d_e = allocator.allocate<float>(desc.B * desc.Q * row_keys);
    means = allocator.allocate<float>(desc.B * desc.Q * split.chunks);
    d_v = allocator.allocate<float>(desc.B * desc.A);
    bytes = allocator.bytes();
  }
};

struct PoolingBackwardWorkspace {
  Split split;
  float* e;     // [B, T]
  float* d_z;   // [B, T], the gradient of x_t . w + b_t; holds that of the weights until then
  float* sums;  // [B, chunks, 2], the sums of exp(e) and of exp(e) times the gradient of the weights
  float* d_w;   // [B, chunks, D]
  std::size_t bytes;

  PoolingBackwardWorkspace(const attn_pooling_desc_t& desc, void* workspace) : split(1, desc.T) {
    WorkspaceAllocator allocator(workspace);
    e = allocator.allocate<float>(desc.B * desc.T);
    d_z = allocator.allocate<float>(desc.B * desc.T);
    sums = allocator.allocate<float>(desc.B * split.chunks * 2);
    d_w = allocator.allocate<float>(desc.B * split.chunks * desc.D);
    bytes = allocator.bytes();
  }
};

}  // namespace attn::internal::cpu
