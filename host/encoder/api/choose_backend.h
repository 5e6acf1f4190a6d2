// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "encoder/base/backend.h"

namespace attn::internal {

// The encoder backend of a live handle. It is created on the first call and destroyed with the handle.
EncoderBackend& encoder_backend_of(attn_handle_t handle);

}  // namespace attn::internal
