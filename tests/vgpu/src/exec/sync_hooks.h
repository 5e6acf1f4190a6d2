// SPDX-License-Identifier: Apache-2.0
//
// Informs race detection about instructions that order memory. Instructions that use resolve(), Warp::gather() or
// Block::arrive() need nothing more, since those update the order themselves.
#pragma once

#include <cstddef>
#include <cstdint>

#include "exec/warp.h"

namespace vgpu {

// membar and fence: the next strong writes of the active lanes release all accesses before this point.
void fence(Warp& warp);

// The lanes synchronise with each other. Warp::gather() calls this itself.
void meet(Warp& warp, Mask lanes);

// Completes a copy to shared memory that was begun with Access::asynchronous. `offset` is the byte offset in shared
// memory. For cp.async: the lane that issued the copy has waited for it.
void finish_copy(Warp& warp, unsigned lane, std::size_t offset, std::size_t bytes);
// For cp.async.bulk: the copy completes at an mbarrier (also given by its offset). Only threads that wait at the
// mbarrier may access the bytes; not even the lane that issued the copy may access them without waiting.
void finish_copy_at(Warp& warp, std::size_t offset, std::size_t bytes, std::size_t mbarrier);

}  // namespace vgpu
