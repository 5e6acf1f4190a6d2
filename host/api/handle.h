// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "base/backend.h"

struct attn_handle {
  using Attached = std::unique_ptr<void, void (*)(void*)>;
  std::unique_ptr<attn::internal::Backend> backend;
  std::map<const void*, Attached> attached;  // declared after the backend, so destroyed before it
};

namespace attn::internal {

// The backend of a live handle. Rejects a null pointer and a destroyed handle.
Backend& backend_of(attn_handle_t handle);

}  // namespace attn::internal
