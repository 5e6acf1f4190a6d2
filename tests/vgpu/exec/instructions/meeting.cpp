// SPDX-License-Identifier: Apache-2.0
#include "exec/instructions/meeting.h"

#include "exec/block.h"
#include "exec/sync_hooks.h"

namespace vgpu {
namespace {

unsigned first_lane(Mask lanes) { return static_cast<unsigned>(__builtin_ctz(lanes)); }

}  // namespace

bool meet_members(Warp& warp, Slot masks) {
  Mask ready = 0, first = 0, wanted = 0;
  for_each_group(warp, masks, [&](Mask group, Mask named) {
    if ((group & ~named) != 0)
      warp.block().fail(warp, first_lane(group & ~named), Finding::Kind::kDivergentBarrier,
                        "this lane is not in the member mask " + hexadecimal(named) + " that it gives");
    if ((named & warp.alive() & ~group) == 0) {
      ready |= group;
      meet(warp, named);
    } else if (first == 0) {
      first = group;
      wanted = named;
    }
  });
  warp.separate(ready != 0 ? ready : first);
  return ready != 0 || warp.gather(wanted);
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
