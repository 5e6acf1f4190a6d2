// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "base/backend.h"

struct attn_handle {
  using Attached = std::unique_ptr<void, void (*)(void*)>;
  std::unique_ptr<attn::internal::Backend> backend;
  std::map<const void*, Attached> attached;  // behind the backend: goes first
};

namespace attn::internal {

// The backend of a live handle; refuses null and destroyed ones.
Backend& backend_of(attn_handle_t handle);

}  // namespace attn::internal
