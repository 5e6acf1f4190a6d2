// SPDX-License-Identifier: Apache-2.0
//
// Looks for races in one access, and tells the order of accesses (memory/order.h) what it orders.
#pragma once

#include "exec/access.h"
#include "memory/locations.h"
#include "memory/races.h"

namespace vgpu {

// `at`, by lane, minus `base` is where the access begins in what the history is of. Fails the block where there is a race.
// `allocation` is null in shared memory. In global memory the bytes are marked as used by this kernel, and a block that writes
// what it has read there, and so changes nothing, only reads again: algorithms that work in place put back what stays while
// other blocks read it.
void check_races(Warp& warp, const Access& access, Mask lanes, const std::uint64_t* at, std::uint64_t base,
                 AccessHistory& history, const Allocation* allocation);

// What a strong access releases and acquires at the place it goes to.
void synchronise(Warp& warp, const Access& access, Mask lanes, const std::uint64_t* at, Locations& locations);

}  // namespace vgpu
