// SPDX-License-Identifier: Apache-2.0
//
// Brings lanes together for an instruction that they execute as one.
#pragma once

#include "exec/warp.h"

namespace vgpu {

// For instructions with a member mask, which each lane provides: lanes with the same mask execute together. Returns
// true if the lanes that remain active have met all members of their mask. Otherwise they wait: the handler must return
// at once and is executed again. Fails the block if a lane is not in its own mask.
bool meet_members(Warp& warp, Slot masks);

// For .aligned instructions, which need the whole warp. Fails the block if lanes are missing that will never come.
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

// Lets other lanes and warps run before the active lanes continue with the next instruction.
inline void give_way(Warp& warp) {
  warp.yield();
  ++warp.split().pc;
}

}  // namespace vgpu
