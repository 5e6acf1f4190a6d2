// SPDX-License-Identifier: Apache-2.0
//
// How lanes come together for an instruction that they execute as one.
#pragma once

#include "exec/warp.h"

namespace vgpu {

// For instructions with a member mask, which each lane names by itself: lanes with the same mask work together. True: of
// the active lanes all that are left have met all that they name. False: they wait, the handler must return at once and is
// run again. Fails the block where a lane is not in its own mask.
bool meet_members(Warp& warp, Slot masks);

// For .aligned instructions that need the whole warp: fails the block where lanes are missing for good.
bool meet_all(Warp& warp);

// Calls f(lanes, mask) for each group of active lanes with the same member mask.
template <class F>
void for_each_group(Warp& warp, Slot masks, F f) {
  const Mask* mask = warp.lanes<Mask>(masks);
  for (Mask left = warp.active(); left != 0;) {
    const Mask named = mask[__builtin_ctz(left)];
    Mask group = 0;
    for (unsigned lane = 0; lane < kLanes; ++lane) group |= Mask{mask[lane] == named} << lane;
    group &= left;
    left &= ~group;
    f(group, named);
  }
}

// Lets other lanes and warps have their turn before these go on with the next instruction.
inline void give_way(Warp& warp) {
  warp.yield();
  ++warp.split().pc;
}

}  // namespace vgpu
