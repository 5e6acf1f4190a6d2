// SPDX-License-Identifier: Apache-2.0
//
// The settings of a handle. The encoder library sees handles only through the public calls of libattn_cuda.
#pragma once

#include "attn_cuda/attn_cuda.h"

namespace attn::internal {

// Throws the failure that a call of libattn_cuda reported.
void require_success(attn_status_t status);

attn_backend_t backend_kind(attn_handle_t handle);

// 1 for a CUDA handle.
int threads_of(attn_handle_t handle);

// The cudaStream_t of a CUDA handle.
void* stream_of(attn_handle_t handle);

}  // namespace attn::internal
