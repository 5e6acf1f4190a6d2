// SPDX-License-Identifier: Apache-2.0
//
// The texts of findings about memory.
#pragma once

#include <string>

#include "exec/access.h"
#include "memory/heap.h"
#include "memory/races.h"

namespace vgpu {

// "allocation 3 (400 bytes, freed)"
std::string name_of(const Allocation& allocation);

// "read of 4 bytes at 0x...". In shared and local memory the address is an offset.
std::string access_text(const Access& access, unsigned lane);

// Which allocation an address misses, and by how many bytes; or that it is freed.
std::string missed_text(Heap& heap, std::uint64_t address, std::size_t bytes);

// Why a kernel cannot free this address: freed already, not its start, or not from malloc in a kernel.
std::string not_freeable_text(Heap& heap, std::uint64_t address);

// An access that races with an earlier one, which was a write or a read.
std::string race_text(const Warp& warp, const Access& access, unsigned lane, const Touch& other, bool wrote);

}  // namespace vgpu
