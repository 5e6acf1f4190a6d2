// SPDX-License-Identifier: Apache-2.0
//
// Checks one access for races, and updates the happens-before relation (memory/order.h) for strong accesses.
#pragma once

#include "exec/access.h"
#include "memory/locations.h"
#include "memory/races.h"

namespace vgpu {

// `at` [32] minus `base` is the offset of each lane's access in the memory that the history belongs to. Fails the block
// if there is a race. `allocation` is null for shared memory. In global memory the bytes are also marked as used by
// this kernel. A block that writes back the value it has read, and so changes nothing, only counts as reading again:
// in-place algorithms write back unchanged elements while other blocks read them.
void check_races(Warp& warp, const Access& access, Mask lanes, const std::uint64_t* at, std::uint64_t base,
                 AccessHistory& history, const Allocation* allocation);

// Performs the releases and acquires at the words that a strong access addresses.
void synchronise(Warp& warp, const Access& access, Mask lanes, const std::uint64_t* at, Locations& locations);

}  // namespace vgpu
