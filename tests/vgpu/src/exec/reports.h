// SPDX-License-Identifier: Apache-2.0
//
// What findings about memory say.
#pragma once

#include <string>

#include "exec/access.h"
#include "memory/heap.h"
#include "memory/races.h"

namespace vgpu {

// "allocation 3 (400 bytes, freed)"
std::string name_of(const Allocation& allocation);

// "read of 4 bytes at 0x..."; of shared and local memory the offset is named.
std::string access_text(const Access& access, unsigned lane);

// Which allocation the lane has missed, and by how much; or which it came to late.
std::string missed_text(Heap& heap, std::uint64_t address, std::size_t bytes);

// Why a kernel cannot free this address: freed already, not its start, or not from malloc in a kernel.
std::string not_freeable_text(Heap& heap, std::uint64_t address);

// The access against an earlier one, a write or a read.
std::string race_text(const Warp& warp, const Access& access, unsigned lane, const Touch& other, bool wrote);

}  // namespace vgpu
