// SPDX-License-Identifier: Apache-2.0
#include "encoder/cuda/backend.h"

#include "encoder/cuda/lstm.h"

namespace attn::internal::cuda {

Vendor& CudaEncoderBackend::vendor() { return vendor_ ? *vendor_ : vendor_.emplace(); }

Linear& CudaEncoderBackend::linear() { return linear_ ? *linear_ : linear_.emplace(handle_, vendor(), layers()); }

std::unique_ptr<Lstm> CudaEncoderBackend::make_lstm(const attn_lstm_desc_t& desc) {
  return make_cuda_lstm(handle_, vendor(), desc);
}

void CudaEncoderBackend::allow_tf32(bool allowed) { vendor().tf32 = allowed; }

const char* CudaEncoderBackend::libraries() const { return vendor_versions(); }

}  // namespace attn::internal::cuda
