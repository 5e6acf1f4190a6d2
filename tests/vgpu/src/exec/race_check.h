// SPDX-License-Identifier: Apache-2.0
//
// Checks one access for races, and updates the happens-before relation (memory/order.h) for strong accesses.
#pragma once

#include "exec/access.h"
#include "memory/locations.h"
#include "memory/races.h"

namespace vgpu {

// `at` [32], minus `base`, is the offset of each lane's access in the memory that the history belongs to. Fails the block if
// there is a race.
// `allocation` is null in shared memory. In global memory the bytes are marked as used by this kernel, and a block that writes
// what it has read there, and so changes nothing, only reads again: algorithms that work in place put back what stays while
// other blocks read it.
void check_races(Warp& warp, const Access& access, Mask lanes, const std::uint64_t* at, std::uint64_t base,
                 AccessHistory& history, const Allocation* allocation);

// Releases and acquires at the words that a strong access goes to.
void synchronise(Warp& warp, const Access& access, Mask lanes, const std::uint64_t* at, Locations& locations);

}  // namespace vgpu
