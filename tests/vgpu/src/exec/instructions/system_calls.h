// SPDX-License-Identifier: Apache-2.0
//
// The functions that the system provides to kernels: printf, assert, malloc, free.
#pragma once

#include <string>

#include "exec/warp.h"

namespace vgpu {

// Returns the handler of such a function; code.data is a CallData. Returns null if there is none with these arguments
// and results.
Handler system_call(const std::string& name, const CallData& call);

}  // namespace vgpu
