// SPDX-License-Identifier: Apache-2.0
//
// By cuBLASLt, on the stream of a CUDA handle.
#pragma once

#include <cuda_runtime_api.h>

#include "encoder/cuda/vendor.h"
#include "encoder/linear.h"

namespace attn::cuda {

class CudaLinear final : public Linear {
 public:
  CudaLinear(Vendor& vendor, cudaStream_t stream) : vendor_(&vendor), stream_(stream) {}

  std::size_t workspace_bytes(const ItemRows& rows, std::int64_t N) const override;
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
  void multiply(const Product& product, void* workspace) const {
    vendor_->cublas.multiply(product, vendor_->tf32, workspace, stream_);
  }

  Vendor* vendor_;
  cudaStream_t stream_;
};

}  // namespace attn::cuda
