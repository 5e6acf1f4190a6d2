// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "encoder/cuda/layers_backend.h"
#include "encoder/cuda/linear.h"

namespace attn::internal::cuda {

// With cuDNN and cuBLASLt. Their handles take long to create and occupy device memory, so they are created when they
// are first needed, and everything that runs on one handle shares them.
class CudaEncoderBackend final : public CudaLayersBackend {
 public:
  explicit CudaEncoderBackend(attn_handle_t handle) : CudaLayersBackend(handle), handle_(handle) {}

  Linear& linear() override;
  std::unique_ptr<Lstm> make_lstm(const attn_lstm_desc_t& desc) override;
  void allow_tf32(bool allowed) override;
  const char* libraries() const override;

 private:
  Vendor& vendor();

  attn_handle_t handle_;
  std::optional<Vendor> vendor_;
  std::optional<CudaLinear> linear_;
};

}  // namespace attn::internal::cuda
