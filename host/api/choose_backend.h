// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/backend.h"

namespace attn::internal {

std::unique_ptr<Backend> make_backend(attn_backend_t kind);

}  // namespace attn::internal
