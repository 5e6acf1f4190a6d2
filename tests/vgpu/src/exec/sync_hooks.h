// SPDX-License-Identifier: Apache-2.0
//
// What the race checks must be told of instructions that order memory. What goes through resolve(), Warp::gather() or
// Block::arrive() needs nothing more: there a strong access acquires and releases, lanes that gather have met, and warps that
// a barrier lets go have met.
#pragma once

#include <cstddef>
#include <cstdint>

#include "exec/warp.h"

namespace vgpu {

// membar, fence: what the active lanes did before, their next strong writes release.
void fence(Warp& warp);

// Each of the lanes knows from here on what the others did before. Warp::gather() says so by itself.
void meet(Warp& warp, Mask lanes);

// The end of a copy to shared memory that began with Access::asynchronous. `offset` counts from the start of shared memory.
// cp.async: the lane that issued it has waited for it.
void finish_copy(Warp& warp, unsigned lane, std::size_t offset, std::size_t bytes);
// cp.async.bulk: it completes at an mbarrier (an offset as well), and whoever waits there may touch the bytes; nobody else,
// not even the lane that issued it.
void finish_copy_at(Warp& warp, std::size_t offset, std::size_t bytes, std::size_t mbarrier);

}  // namespace vgpu
