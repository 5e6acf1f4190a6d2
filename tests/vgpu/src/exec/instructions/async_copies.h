// SPDX-License-Identifier: Apache-2.0
//
// Declarations that the two files of cp and the one of mbarrier share.
#pragma once

#include "exec/access.h"
#include "exec/decode.h"

namespace vgpu {

void decode_bulk_copy(Decoder& d);       // cp.async.bulk, after these words
void decode_bulk_reduction(Decoder& d);  // cp.reduce, likewise

// The number that is the first operand of a wait for groups.
std::uint32_t take_group_count(Decoder& d);

// Where in shared memory a lane's mbarrier lies; fails the block where it is elsewhere.
std::uint64_t shared_offset(Warp& warp, const Access& access, unsigned lane);

}  // namespace vgpu
