// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend.h"

struct attn_handle {
  std::unique_ptr<attn::Backend> backend;
};

namespace attn {

// The backend of a live handle; refuses null and destroyed ones.
Backend& backend_of(attn_handle_t handle);

}  // namespace attn
