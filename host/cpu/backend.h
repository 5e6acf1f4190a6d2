// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/backend.h"

namespace attn::internal {

std::unique_ptr<Backend> make_cpu_backend();

}  // namespace attn::internal
