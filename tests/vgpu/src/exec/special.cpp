// SPDX-License-Identifier: Apache-2.0
#include "exec/block.h"

namespace vgpu {

std::uint64_t special_value(const Warp& warp, unsigned lane, Special special) {
  const Block& block = warp.block();
  const Launch& launch = block.launch();
  const Mask self = Mask{1} << lane;
  const auto thread = warp.thread_of(lane);
  const auto& place = block.coordinates();
  const std::uint64_t static_shared = block.grid().program->static_shared(launch.kernel);
  switch (special) {
    case Special::kTidX:
      return thread[0];
    case Special::kTidY:
      return thread[1];
    case Special::kTidZ:
      return thread[2];
    case Special::kNtidX:
      return launch.block.x;
    case Special::kNtidY:
      return launch.block.y;
    case Special::kNtidZ:
      return launch.block.z;
    case Special::kCtaidX:
      return place[0];
    case Special::kCtaidY:
      return place[1];
    case Special::kCtaidZ:
      return place[2];
    case Special::kNctaidX:
      return launch.grid.x;
    case Special::kNctaidY:
      return launch.grid.y;
    case Special::kNctaidZ:
      return launch.grid.z;
    case Special::kLaneid:
      return lane;
    case Special::kWarpid:
      return warp.index();
    case Special::kNwarpid:
      return (launch.block.count() + kLanes - 1) / kLanes;
    case Special::kSmid:
      return block.index() % launch.limits.multiprocessors;
    case Special::kNsmid:
      return launch.limits.multiprocessors;
    case Special::kGridid:
      return block.grid().id;
    case Special::kLanemaskEq:
      return self;
    case Special::kLanemaskLe:
      return self | (self - 1);
    case Special::kLanemaskLt:
      return self - 1;
    case Special::kLanemaskGe:
      return ~(self - 1);
    case Special::kLanemaskGt:
      return ~(self | (self - 1));
    case Special::kDynamicSharedBase:
      return static_shared;
    case Special::kDynamicSharedSize:
      return launch.dynamic_shared;
    case Special::kTotalSharedSize:
      return static_shared + launch.dynamic_shared;
    case Special::kOne:
      return 1;
    case Special::kZero:
      return 0;
  }
  return 0;
}

}  // namespace vgpu
