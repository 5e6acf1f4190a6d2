// SPDX-License-Identifier: Apache-2.0
//
// Functions that a module calls and does not have: printf, assert, malloc, free.
#pragma once

#include <string>

#include "exec/warp.h"

namespace vgpu {

// Its handler; code.data is a CallData. Null: no such function, or not with these arguments and results.
Handler system_call(const std::string& name, const CallData& call);

}  // namespace vgpu
