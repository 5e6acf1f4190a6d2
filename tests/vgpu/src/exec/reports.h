// SPDX-License-Identifier: Apache-2.0
//
// The texts of findings about memory.
#pragma once

#include <string>

#include "exec/access.h"
#include "memory/heap.h"
#include "memory/races.h"

namespace vgpu {

// Returns a name such as "allocation 3 (400 bytes, freed)".
std::string name_of(const Allocation& allocation);

// Returns a text such as "read of 4 bytes at 0x...". In shared and local memory the address is an offset.
std::string access_text(const Access& access, unsigned lane);

// Says which allocation an address misses, and by how many bytes, or that the allocation is freed.
std::string missed_text(Heap& heap, std::uint64_t address, std::size_t bytes);

// Says why a kernel cannot free this address: it is freed already, is not the start of an allocation, or did not come
// from malloc in a kernel.
std::string not_freeable_text(Heap& heap, std::uint64_t address);

// Describes an access that races with an earlier one, which was a write or a read.
std::string race_text(const Warp& warp, const Access& access, unsigned lane, const Touch& other, bool wrote);

}  // namespace vgpu
