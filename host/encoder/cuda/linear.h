// SPDX-License-Identifier: Apache-2.0
//
// By cuBLASLt, on the stream of a CUDA handle.
#pragma once

#include <cuda_runtime_api.h>

#include <array>

#include "encoder/cuda/vendor.h"
#include "encoder/linear.h"

namespace attn::internal::cuda {

class CudaLinear final : public Linear {
 public:
  CudaLinear(Vendor& vendor, cudaStream_t stream) : vendor_(&vendor), stream_(stream) {}

  bool takes(attn_dtype_t) const override { return true; }
  std::size_t workspace_bytes(attn_dtype_t dtype, const ItemRows& rows, std::int64_t M, std::int64_t N) const override;
  std::size_t sum_workspace_bytes(std::int64_t N) const override;
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
  void multiply(const Product& product, void* workspace) const {
    vendor_->cublas.multiply(product, vendor_->tf32, workspace, stream_);
  }

  // A parameter as it is, or rounded to `place`.
  const void* rounded(attn_dtype_t dtype, const float* parameter, std::int64_t count, void* place) const;

  // shape: B, T, W of kernels::CopyRows.
  void copy_rows(attn_dtype_t dtype, const std::array<std::int64_t, 3>& shape, const void* from, bool same_rows,
                 const std::int32_t* lengths, void* to) const;

  Vendor* vendor_;
  cudaStream_t stream_;
};

}  // namespace attn::internal::cuda
