// SPDX-License-Identifier: Apache-2.0
//
// Counts the memory traffic of a request, which is the access of one warp instruction to one memory.
#pragma once

#include "exec/access.h"
#include "exec/counters.h"

namespace vgpu {

// `at`: for each lane, the address or the offset in shared memory.
void count_global(Counters& counters, const Access& access, Mask lanes, const std::uint64_t* at);
void count_shared(Counters& counters, const Access& access, Mask lanes, const std::uint64_t* at);

}  // namespace vgpu
