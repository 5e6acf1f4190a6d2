// SPDX-License-Identifier: Apache-2.0
//
// What a backend offers as an LSTM of one layer and one shape. Arguments arrive validated, buffers 64-byte aligned.
#pragma once

#include <cstddef>
#include <memory>

#include "attn_cuda/encoder.h"

namespace attn::internal {

class LstmBackend {
 public:
  virtual ~LstmBackend() = default;
  virtual std::size_t reserve_bytes() const = 0;
  virtual std::size_t workspace_bytes(attn_pass_t pass) const = 0;
  virtual void forward(const attn_lstm_forward_args_t& args, void* workspace) = 0;
  virtual void backward(const attn_lstm_backward_args_t& args, void* workspace) = 0;
};

std::unique_ptr<LstmBackend> make_cpu_lstm(const attn_lstm_desc_t& desc, int threads);
std::unique_ptr<LstmBackend> make_cuda_lstm(attn_handle_t handle, const attn_lstm_desc_t& desc);

}  // namespace attn::internal
