// SPDX-License-Identifier: Apache-2.0
//
// Linear maps y = W x + b over the valid rows of a batch and their gradients, as a backend offers them. Parameters and
// their gradients are fp32, x, y and theirs of the given type. Padding never counts: 0 times NaN is NaN, so a gradient of
// zero would not keep it out of a sum.
#pragma once

#include <cstddef>
#include <cstdint>

#include "attn_cuda/attn_cuda.h"

namespace attn::internal {

// Rows of items of T rows each, of which the first lengths[b] are valid.
struct ItemRows {
  std::int64_t B, T;
  const std::int32_t* lengths;  // [B] in the backend's memory; null: all valid
};

class Linear {
 public:
  virtual ~Linear() = default;

  // Whether x and y may be of other types than fp32.
  virtual bool takes(attn_dtype_t dtype) const = 0;

  // Of every call below for rows, M and N at most these; of sum_items() for N at most this.
  virtual std::size_t workspace_bytes(attn_dtype_t dtype, const ItemRows& rows, std::int64_t M,
                                      std::int64_t N) const = 0;
  virtual std::size_t sum_workspace_bytes(std::int64_t N) const = 0;

  // y [rows, M] = x [rows, N] w^T + b; w [M, N], b [M] or null. What y has behind a length is not said.
  virtual void project(attn_dtype_t dtype, const ItemRows& rows, std::int64_t M, std::int64_t N, const void* x,
                       const float* w, const float* b, void* y, void* workspace) = 0;
  // d_x [rows, N] = d_y [rows, M] w, added to d_x where `accumulate`. d_y is zero behind the lengths.
  virtual void project_back(attn_dtype_t dtype, const ItemRows& rows, std::int64_t M, std::int64_t N, const void* d_y,
                            const float* w, void* d_x, bool accumulate, void* workspace) = 0;
  // d_w [M, N] = the sum over the rows of d_y times x.
  virtual void weight_gradient(attn_dtype_t dtype, const ItemRows& rows, std::int64_t M, std::int64_t N,
                               const void* d_y, const void* x, float* d_w, void* workspace) = 0;
  // d_b [M] = the sum of the rows of d_y.
  virtual void bias_gradient(attn_dtype_t dtype, const ItemRows& rows, std::int64_t M, const void* d_y, float* d_b,
                             void* workspace) = 0;

  // items [B, N]: the first, repeated in all others.
  virtual void repeat_first(attn_dtype_t dtype, std::int64_t B, std::int64_t N, void* items) = 0;
  // sum [N] = that of items [B, N], of which it may be the first.
  virtual void sum_items(attn_dtype_t dtype, std::int64_t B, std::int64_t N, const void* items, float* sum,
                         void* workspace) = 0;
  virtual void fill_zero(std::int64_t count, float* values) = 0;
};

}  // namespace attn::internal
