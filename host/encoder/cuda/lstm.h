// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "encoder/base/lstm.h"
#include "encoder/cuda/vendor.h"

namespace attn::internal::cuda {

// Runs on the stream of `handle`. Keeps whether TF32 is allowed now.
std::unique_ptr<Lstm> make_cuda_lstm(attn_handle_t handle, Vendor& vendor, const attn_lstm_desc_t& desc);

}  // namespace attn::internal::cuda
