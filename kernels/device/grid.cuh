// SPDX-License-Identifier: Apache-2.0
//
// Work items and the blocks that process them.
#pragma once

#include <algorithm>
#include <limits>

#include "kernels/params.h"

namespace attn::kernels {

// One block per work item, up to the largest grid; beyond that, for_each_work_item() gives a block several.
inline unsigned blocks_for(Index items) {
  return static_cast<unsigned>(std::min<Index>(items, std::numeric_limits<int>::max()));
}

// Calls body(item) for every item < count, each in all threads of one block (grid-stride loop). A body that leaves
// shared memory in use ends with a barrier, because the next item of the block overwrites it.
template <class Body>
__device__ void for_each_work_item(Index count, const Body& body) {
  for (Index item = blockIdx.x; item < count; item += gridDim.x) body(item);
}

}  // namespace attn::kernels
