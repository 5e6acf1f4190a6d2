// SPDX-License-Identifier: Apache-2.0
//
// Tells the race checks about instructions that order memory. Instructions that use resolve(), Warp::gather() or Block::arrive()
// need nothing more, since those update the order themselves.
#pragma once

#include <cstddef>
#include <cstdint>

#include "exec/warp.h"

namespace vgpu {

// membar, fence: the next strong writes of the active lanes release everything before this.
void fence(Warp& warp);

// The lanes synchronise with each other. Warp::gather() calls this itself.
void meet(Warp& warp, Mask lanes);

// The end of a copy to shared memory that began with Access::asynchronous. `offset` is in bytes of shared memory.
// cp.async: the lane that issued it has waited for it.
void finish_copy(Warp& warp, unsigned lane, std::size_t offset, std::size_t bytes);
// cp.async.bulk: it completes at an mbarrier (an offset as well), and whoever waits there may touch the bytes; nobody else,
// not even the lane that issued it.
void finish_copy_at(Warp& warp, std::size_t offset, std::size_t bytes, std::size_t mbarrier);

}  // namespace vgpu
