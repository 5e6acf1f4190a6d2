// SPDX-License-Identifier: Apache-2.0
#include "encoder/base/backend.h"

#include "base/failure.h"

namespace attn::internal {
namespace {

[[noreturn]] void reject_backend() {
  throw Failure(ATTN_UNSUPPORTED,
                "handle: expected one of ATTN_BACKEND_CPU, the only backend of LSTM and projections in this build, "
                "which has no cuDNN and cuBLAS, got one of ATTN_BACKEND_CUDA");
}

}  // namespace

Linear& EncoderBackend::linear() { reject_backend(); }
std::unique_ptr<Lstm> EncoderBackend::make_lstm(const attn_lstm_desc_t&) { reject_backend(); }
void EncoderBackend::allow_tf32(bool) { reject_backend(); }

}  // namespace attn::internal
