// SPDX-License-Identifier: Apache-2.0
//
// What stands where in a workspace. Made from a null pointer, a layout tells how many bytes it needs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "attn_cuda/attn_cuda.h"
#include "cpu/carver.h"
#include "cpu/split.h"

namespace attn::cpu {

struct ForwardWorkspace {
  Split split;
  Running* states;  // [B, Q, chunks]
  float* contexts;  // [B, Q, chunks - 1, D], of all chunks but the first, which has the output
  std::size_t bytes;

  ForwardWorkspace(std::int64_t B, std::int64_t Q, std::int64_t T, std::int64_t D, void* workspace) : split(Q, T) {
    Carver carver(workspace);
    states = carver.take<Running>(B * Q * split.chunks);
    contexts = carver.take<float>(B * Q * (split.chunks - 1) * D);
    bytes = carver.bytes();
  }
};

struct AdditiveBackwardWorkspace {
  Split split;
  std::int64_t row_keys;  // T rounded up to whole groups of kGroupKeys
  float* weights;         // [B, Q, T], where the caller has none
  float* d_e;             // [B, Q, row_keys]
  float* means;           // [B, Q, chunks], sum_j alpha_ij g_ij of the chunk's keys
  float* d_v;             // [B, A]
  std::size_t bytes;

  AdditiveBackwardWorkspace(const attn_additive_desc_t& desc, void* workspace)
      : split(desc.Q, desc.T), row_keys(divide_up(desc.T, kGroupKeys) * kGroupKeys) {
    Carver carver(workspace);
    weights = carver.take<float>(desc.B * desc.Q * desc.T);
    d_e = carver.take<float>(desc.B * desc.Q * row_keys);
    means = carver.take<float>(desc.B * desc.Q * split.chunks);
    d_v = carver.take<float>(desc.B * desc.A);
    bytes = carver.bytes();
  }
};

struct PoolingBackwardWorkspace {
  Split split;
  float* e;     // [B, T]
  float* d_z;   // [B, T], gradient of x_t . w + b_t; of the weights before
  float* sums;  // [B, chunks, 2], of exp(e) and of exp(e) times the gradient of the weights
  float* d_w;   // [B, chunks, D]
  std::size_t bytes;

  PoolingBackwardWorkspace(const attn_pooling_desc_t& desc, void* workspace) : split(1, desc.T) {
    Carver carver(workspace);
    e = carver.take<float>(desc.B * desc.T);
    d_z = carver.take<float>(desc.B * desc.T);
    sums = carver.take<float>(desc.B * split.chunks * 2);
    d_w = carver.take<float>(desc.B * split.chunks * desc.D);
    bytes = carver.bytes();
  }
};

}  // namespace attn::cpu
