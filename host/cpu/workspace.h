// SPDX-License-Identifier: Apache-2.0
//
// The layouts of workspaces. Constructed from a null pointer, a layout computes how many bytes it needs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "attn_cuda/attn_cuda.h"
#include "base/layout.h"
#include "cpu/splits.h"

namespace attn::internal::cpu {

struct ForwardWorkspace {
  Splits splits;
  Running* states;  // [B, Q, splits]
  float* contexts;  // [B, Q, splits - 1, D], of all splits but the first, whose context is in the output
  std::size_t bytes;

  ForwardWorkspace(std::int64_t B, std::int64_t Q, std::int64_t T, std::int64_t D, void* workspace) : splits(Q, T) {
    WorkspaceAllocator allocator(workspace);
    states = allocator.allocate<Running>(B * Q * splits.count);
    contexts = allocator.allocate<float>(B * Q * (splits.count - 1) * D);
    bytes = allocator.bytes();
  }
};

struct AdditiveBackwardWorkspace {
  Splits splits;
  std::int64_t row_keys;  // T rounded up to a multiple of kGroupKeys
  float* weights;         // [B, Q, T], used if the caller passes none
  float* d_e;             // [B, Q, row_keys]
  float* means;           // [B, Q, splits], sum_j alpha_ij g_ij over the keys of the split
  float* d_v;             // [B, A]
  std::size_t bytes;

  AdditiveBackwardWorkspace(const attn_additive_desc_t& desc, void* workspace)
      : splits(desc.Q, desc.T), row_keys(divide_up(desc.T, kGroupKeys) * kGroupKeys) {
    WorkspaceAllocator allocator(workspace);
    weights = allocator.allocate<float>(desc.B * desc.Q * desc.T);
    d_e = allocator.allocate<float>(desc.B * desc.Q * row_keys);
    means = allocator.allocate<float>(desc.B * desc.Q * splits.count);
    d_v = allocator.allocate<float>(desc.B * desc.A);
    bytes = allocator.bytes();
  }
};

struct PoolingBackwardWorkspace {
  Splits splits;
  float* e;     // [B, T]
  float* d_z;   // [B, T], the gradient of x_t . w + b_t; holds that of the weights until then
  float* sums;  // [B, splits, 2], the sums of exp(e) and of exp(e) times the gradient of the weights
  float* d_w;   // [B, splits, D]
  std::size_t bytes;

  PoolingBackwardWorkspace(const attn_pooling_desc_t& desc, void* workspace) : splits(1, desc.T) {
    WorkspaceAllocator allocator(workspace);
    e = allocator.allocate<float>(desc.B * desc.T);
    d_z = allocator.allocate<float>(desc.B * desc.T);
    sums = allocator.allocate<float>(desc.B * splits.count * 2);
    d_w = allocator.allocate<float>(desc.B * splits.count * desc.D);
    bytes = allocator.bytes();
  }
};

}  // namespace attn::internal::cpu
