// SPDX-License-Identifier: Apache-2.0
#include "exec/instructions/meeting.h"

#include "exec/block.h"
#include "exec/sync_hooks.h"

namespace vgpu {

bool meet_members(Warp& warp, Slot masks) {
  struct Group {
    Mask lanes, named;
  };
  std::array<Group, kLanes> waiting;
  std::size_t count = 0;
  for_each_group(warp, masks, [&](Mask lanes, Mask named) {
    if ((lanes & ~named) != 0)
      warp.block().fail(warp, first_lane(lanes & ~named), Finding::Kind::kDivergentBarrier,
                        "this lane is not in the member mask " + hexadecimal(named) + " that it gives");
    if ((named & warp.alive() & ~lanes) == 0) {
      meet(warp, named);
    } else {
      waiting[count++] = {lanes, named};
    }
  });
  for (std::size_t i = 0; i < count; ++i) warp.wait_for(waiting[i].lanes, waiting[i].named);
  return warp.active() != 0;
}

bool meet_all(Warp& warp) {
  if (!warp.gather(kAllLanes)) return false;
  if (warp.active() != kAllLanes)
    warp.block().fail(
        warp, first_lane(warp.active()), Finding::Kind::kDivergentBarrier,
        "an instruction of the whole warp, executed by the lanes " + hexadecimal(warp.active()) + " alone");
  return true;
}

}  // namespace vgpu
