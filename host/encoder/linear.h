// SPDX-License-Identifier: Apache-2.0
//
// Linear maps y = W x + b over the valid rows of a batch and their gradients, as a backend offers them. All fp32. Padding
// never counts: 0 times NaN is NaN, so a gradient of zero would not keep it out of a sum.
#pragma once

#include <cstddef>
#include <cstdint>

namespace attn {

// Rows of items of T rows each, of which the first lengths[b] are valid.
struct ItemRows {
  std::int64_t B, T;
  const std::int32_t* lengths;  // [B] in the backend's memory; null: all valid
};

class Linear {
 public:
  virtual ~Linear() = default;

  // Of every call below whose rows are at most these and N wide.
  virtual std::size_t workspace_bytes(const ItemRows& rows, std::int64_t N) const = 0;

  // y [rows, M] = x [rows, N] w^T + b; w [M, N], b [M] or null. What y has behind a length is not said.
  virtual void project(const ItemRows& rows, std::int64_t M, std::int64_t N, const float* x, const float* w,
                       const float* b, float* y, void* workspace) = 0;
  // d_x [rows, N] = d_y [rows, M] w, added to d_x where `accumulate`. d_y is zero behind the lengths.
  virtual void project_back(const ItemRows& rows, std::int64_t M, std::int64_t N, const float* d_y, const float* w,
                            float* d_x, bool accumulate, void* workspace) = 0;
  // d_w [M, N] = the sum over the rows of d_y times x.
  virtual void weight_gradient(const ItemRows& rows, std::int64_t M, std::int64_t N, const float* d_y, const float* x,
                               float* d_w, void* workspace) = 0;
  // d_b [M] = the sum of the rows of d_y.
  virtual void bias_gradient(const ItemRows& rows, std::int64_t M, const float* d_y, float* d_b, void* workspace) = 0;

  // items [B, N]: the first, repeated in all others.
  virtual void repeat_first(std::int64_t B, std::int64_t N, float* items) = 0;
  // The first of items [B, N] = the sum of all.
  virtual void sum_into_first(std::int64_t B, std::int64_t N, float* items, void* workspace) = 0;
  virtual void fill_zero(std::int64_t count, float* values) = 0;
};

}  // namespace attn
