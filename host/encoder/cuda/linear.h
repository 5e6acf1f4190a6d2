// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include <array>

#include "encoder/base/handle.h"
#include "encoder/base/layers.h"
#include "encoder/base/linear.h"
#include "encoder/cuda/vendor.h"

namespace attn::internal::cuda {

// Matrix products by cuBLASLt, on the stream of a CUDA handle.
class CudaLinear final : public Linear {
 public:
  CudaLinear(attn_handle_t handle, Vendor& vendor, Layers& layers)
      : handle_(handle), vendor_(vendor), layers_(layers) {}

  bool supports(attn_dtype_t) const override { return true; }
  std::size_t workspace_bytes(const LinearMap& map) const override;
  std::size_t sum_workspace_bytes(std::int64_t N) const override;
  void project(const LinearMap& map, const void* x, const float* w, const float* b, void* y) override;
  void project_back(const LinearMap& map, const void* d_y, const float* w, void* d_x, bool accumulate) override;
  void weight_gradient(const LinearMap& map, const void* d_y, const void* x, float* d_w) override;
  void bias_gradient(const LinearMap& map, const void* d_y, float* d_b) override;
  void repeat_first(const Items& items, void* tensor) override;
  void sum_items(const Items& items, const void* tensor, float* sum) override;
  void fill_zero(std::int64_t count, float* values) override;

 private:
  cudaStream_t stream() const { return static_cast<cudaStream_t>(stream_of(handle_)); }

  void multiply(const Product& product, void* workspace) const {
    vendor_.cublas.multiply(product, vendor_.tf32, workspace, stream());
  }

  // The parameter itself in fp32, else its copy at `place`, rounded to `dtype`.
  const void* rounded(attn_dtype_t dtype, const float* parameter, std::int64_t count, void* place) const;

  // shape holds B, T and W of kernels::CopyRows.
  void copy_rows(attn_dtype_t dtype, const std::array<std::int64_t, 3>& shape, const void* from, bool same_rows,
                 const std::int32_t* lengths, void* to) const;

  attn_handle_t handle_;
  Vendor& vendor_;
  Layers& layers_;
};

}  // namespace attn::internal::cuda
