// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <limits>

#include "kernels/params.h"

namespace attn::kernels {

// Blocks for `items` pieces of work, which the blocks go through with a stride of gridDim.x: more pieces than a grid
// may have blocks are taken in turns.
inline unsigned blocks_for(Index items) {
  return static_cast<unsigned>(std::min<Index>(items, std::numeric_limits<int>::max()));
}

}  // namespace attn::kernels
