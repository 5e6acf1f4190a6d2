// SPDX-License-Identifier: Apache-2.0
//
// Declarations shared by the handlers of cp.async, cp.async.bulk and mbarrier.
#pragma once

#include "exec/access.h"
#include "exec/decode.h"

namespace vgpu {

void decode_bulk_copy(Decoder& d);       // after cp.async.bulk
void decode_bulk_reduction(Decoder& d);  // after cp.reduce

// Decodes the immediate N of a wait_group instruction, which is its first operand.
std::uint32_t take_group_count(Decoder& d);

// Returns the offset of a lane's mbarrier in shared memory. Fails the block if the mbarrier is in another state space.
std::uint64_t shared_offset(Warp& warp, const Access& access, unsigned lane);

}  // namespace vgpu
