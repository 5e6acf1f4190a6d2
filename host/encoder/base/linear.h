// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "attn_cuda/attn_cuda.h"

namespace attn::internal {

// The rows of B items with T rows each, of which the first lengths[b] are valid.
struct ItemRows {
  std::int64_t B, T;
  const std::int32_t* lengths;  // [B] in the memory of the backend; null: all rows are valid
};

// The map y [rows, M] = x [rows, N] w^T + b.
struct LinearMap {
  attn_dtype_t dtype;  // of x, y and their gradients; parameters and their gradients are fp32
  ItemRows rows;
  std::int64_t M, N;
  void* workspace;  // workspace_bytes()
};

// The items of a tensor [B, N].
struct Items {
  attn_dtype_t dtype;
  std::int64_t B, N;
  void* workspace;  // sum_workspace_bytes()
};

// Linear maps over the valid rows of a batch, and their gradients. Padding never contributes: 0 times NaN is NaN, so a
// zero gradient alone would not keep a NaN in padding out of a sum.
class Linear {
 public:
  virtual ~Linear() = default;

  // Whether x and y may be of this type. fp32 is always supported.
  virtual bool supports(attn_dtype_t dtype) const = 0;

  // Enough for every call below with a map whose rows, M and N are at most those of `map`. 0 by default, as is the
  // workspace of sum_items() for items of N elements.
  virtual std::size_t workspace_bytes(const LinearMap&) const { return 0; }
  virtual std::size_t sum_workspace_bytes(std::int64_t) const { return 0; }

  // y [rows, M] = x [rows, N] w^T + b; w [M, N], b [M] or null. Padding in y is unspecified.
  virtual void project(const LinearMap& map, const void* x, const float* w, const float* b, void* y) = 0;
  // d_x [rows, N] = d_y [rows, M] w, added to d_x if `accumulate`. Padding in d_y must be zero.
  virtual void project_back(const LinearMap& map, const void* d_y, const float* w, void* d_x, bool accumulate) = 0;
  // d_w [M, N] = d_y^T x, summed over the rows.
  virtual void weight_gradient(const LinearMap& map, const void* d_y, const void* x, float* d_w) = 0;
  // d_b [M] = the sum of the rows of d_y.
  virtual void bias_gradient(const LinearMap& map, const void* d_y, float* d_b) = 0;

  // Copies the first item of tensor [B, N] to all others.
  virtual void repeat_first(const Items& items, void* tensor) = 0;
  // sum [N] = the sum of the items of tensor [B, N]. It may overwrite the first item.
  virtual void sum_items(const Items& items, const void* tensor, float* sum) = 0;
  virtual void fill_zero(std::int64_t count, float* values) = 0;
};

}  // namespace attn::internal
