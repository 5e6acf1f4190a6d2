// SPDX-License-Identifier: Apache-2.0
#include "encoder/cpu/backend.h"

#include "encoder/base/handle.h"
#include "encoder/cpu/lstm.h"
#include "encoder/cpu/onednn.h"

namespace attn::internal::cpu {

std::unique_ptr<Lstm> CpuEncoderBackend::make_lstm(const attn_lstm_desc_t& desc) {
  return make_cpu_lstm(desc, threads_of(handle_));
}

const char* CpuEncoderBackend::libraries() const { return onednn_version(); }

}  // namespace attn::internal::cpu
