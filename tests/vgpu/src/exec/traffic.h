// SPDX-License-Identifier: Apache-2.0
//
// Counts what a request costs the memory system. A request is what one instruction of a warp asks of one memory.
#pragma once

#include "exec/access.h"
#include "exec/counters.h"

namespace vgpu {

// `at`: by lane, the address or the offset in shared memory.
void count_global(Counters& counters, const Access& access, Mask lanes, const std::uint64_t* at);
void count_shared(Counters& counters, const Access& access, Mask lanes, const std::uint64_t* at);

}  // namespace vgpu
