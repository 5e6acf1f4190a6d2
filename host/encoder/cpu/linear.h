// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "encoder/base/handle.h"
#include "encoder/base/linear.h"

namespace attn::internal::cpu {

// Matrix products by oneDNN. Padding is not read. The division into tasks depends on shapes alone.
class CpuLinear final : public Linear {
 public:
  explicit CpuLinear(attn_handle_t handle) : handle_(handle) {}

  bool supports(attn_dtype_t dtype) const override { return dtype == ATTN_DTYPE_FP32; }
  void project(const LinearMap& map, const void* x, const float* w, const float* b, void* y) override;
  void project_back(const LinearMap& map, const void* d_y, const float* w, void* d_x, bool accumulate) override;
  void weight_gradient(const LinearMap& map, const void* d_y, const void* x, float* d_w) override;
  void bias_gradient(const LinearMap& map, const void* d_y, float* d_b) override;
  void repeat_first(const Items& items, void* tensor) override;
  void sum_items(const Items& items, const void* tensor, float* sum) override;
  void fill_zero(std::int64_t count, float* values) override;

 private:
  int threads() const { return threads_of(handle_); }

  attn_handle_t handle_;
};

}  // namespace attn::internal::cpu
