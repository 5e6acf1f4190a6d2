// SPDX-License-Identifier: Apache-2.0
//
// By oneDNN's product, padding not read. How the work is cut depends on shapes alone.
#pragma once

#include "encoder/linear.h"

namespace attn::cpu {

class CpuLinear final : public Linear {
 public:
  explicit CpuLinear(int threads) : threads_(threads) {}

  std::size_t workspace_bytes(const ItemRows&, std::int64_t) const override { return 0; }
  void project(const ItemRows& rows, std::int64_t M, std::int64_t N, const float* x, const float* w, const float* b,
               float* y, void* workspace) override;
  void project_back(const ItemRows& rows, std::int64_t M, std::int64_t N, const float* d_y, const float* w, float* d_x,
                    bool accumulate, void* workspace) override;
  void weight_gradient(const ItemRows& rows, std::int64_t M, std::int64_t N, const float* d_y, const float* x,
                       float* d_w, void* workspace) override;
  void bias_gradient(const ItemRows& rows, std::int64_t M, const float* d_y, float* d_b, void* workspace) override;
  void repeat_first(std::int64_t B, std::int64_t N, float* items) override;
  void sum_into_first(std::int64_t B, std::int64_t N, float* items, void* workspace) override;
  void fill_zero(std::int64_t count, float* values) override;

 private:
  int threads_;
};

}  // namespace attn::cpu
