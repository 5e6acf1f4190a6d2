// SPDX-License-Identifier: Apache-2.0
//
// By oneDNN's product, padding not read. How the work is cut depends on shapes alone.
#pragma once

#include "encoder/linear.h"

namespace attn::internal::cpu {

class CpuLinear final : public Linear {
 public:
  explicit CpuLinear(int threads) : threads_(threads) {}

  bool takes(attn_dtype_t dtype) const override { return dtype == ATTN_DTYPE_FP32; }
  std::size_t workspace_bytes(attn_dtype_t, const ItemRows&, std::int64_t, std::int64_t) const override { return 0; }
  std::size_t sum_workspace_bytes(std::int64_t) const override { return 0; }
  void project(attn_dtype_t dtype, const ItemRows& rows, std::int64_t M, std::int64_t N, const void* x, const float* w,
               const float* b, void* y, void* workspace) override;
  void project_back(attn_dtype_t dtype, const ItemRows& rows, std::int64_t M, std::int64_t N, const void* d_y,
                    const float* w, void* d_x, bool accumulate, void* workspace) override;
  void weight_gradient(attn_dtype_t dtype, const ItemRows& rows, std::int64_t M, std::int64_t N, const void* d_y,
                       const void* x, float* d_w, void* workspace) override;
  void bias_gradient(attn_dtype_t dtype, const ItemRows& rows, std::int64_t M, const void* d_y, float* d_b,
                     void* workspace) override;
  void repeat_first(attn_dtype_t dtype, std::int64_t B, std::int64_t N, void* items) override;
  void sum_items(attn_dtype_t dtype, std::int64_t B, std::int64_t N, const void* items, float* sum,
                 void* workspace) override;
  void fill_zero(std::int64_t count, float* values) override;

 private:
  int threads_;
};

}  // namespace attn::internal::cpu
