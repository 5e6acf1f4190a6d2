// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "attn_cuda/encoder.h"

namespace attn::internal {

// An LSTM of one layer and one shape. Arguments are valid; workspaces and reserve spaces are aligned to 64 bytes.
class Lstm {
 public:
  virtual ~Lstm() = default;
  virtual std::size_t reserve_bytes() const = 0;
  virtual std::size_t workspace_bytes(attn_pass_t pass) const = 0;
  virtual void forward(const attn_lstm_forward_args_t& args, void* workspace) = 0;
  virtual void backward(const attn_lstm_backward_args_t& args, void* workspace) = 0;
};

}  // namespace attn::internal
