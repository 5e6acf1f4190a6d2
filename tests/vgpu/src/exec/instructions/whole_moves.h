// SPDX-License-Identifier: Apache-2.0
//
// Moves the data of a lane's strong access as a whole (single-copy atomicity): no other strong access of these bytes
// sees only a part of it. Programs rely on this when they publish a value together with its flag in one store of up to
// 16 bytes.
#pragma once

#include <cstddef>
#include <mutex>

namespace vgpu {

void load_whole(std::byte* to, const std::byte* place, std::size_t bytes);
void store_whole(std::byte* place, const std::byte* from, std::size_t bytes);

// Not every host has 16-byte atomics, so 16-byte moves from and to `place` exclude each other with this lock.
std::mutex& wide_lock(const std::byte* place);

}  // namespace vgpu
