// SPDX-License-Identifier: Apache-2.0
//
// What a strong access of a lane moves, moved at once: no other strong access of these bytes sees a part of it.
// Programs publish a value and the word that says it is there in one store of up to 16 bytes.
#pragma once

#include <cstddef>
#include <mutex>

namespace vgpu {

void load_whole(std::byte* to, const std::byte* place, std::size_t bytes);
void store_whole(std::byte* place, const std::byte* from, std::size_t bytes);

// Hosts need not have atomics of 16 bytes: those who move that many from or to `place` exclude each other.
std::mutex& wide_lock(const std::byte* place);

}  // namespace vgpu
