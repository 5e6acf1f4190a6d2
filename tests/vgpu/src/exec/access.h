// SPDX-License-Identifier: Apache-2.0
//
// One memory access by the active lanes of a warp: translates addresses to host pointers, performs all checks and
// updates the counters.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "exec/decode.h"
#include "exec/warp.h"
#include "memory/spaces.h"

namespace vgpu {

struct Access {
  enum class Kind : std::uint8_t { kRead, kWrite, kAtomic, kFree };
  Kind kind;
  ptx::Space space;     // of the instruction; generic addresses are resolved lane by lane
  std::uint32_t bytes;  // per lane, including all elements of a vector
  bool strong = false;  // .volatile, .relaxed, .acquire, .release and atomics, which are ordered with other threads
  std::array<std::uint64_t, kLanes> address{};
  std::array<std::byte*, kLanes> host{};  // host pointers of the active lanes, set by resolve()

  // A strong write that only releases what the last fence covered: .relaxed, .volatile, and atomics without .release or
  // .acq_rel. Strong reads always acquire.
  bool relaxed = false;
  // A write to shared memory by an asynchronous copy. Until finish_copy() is called (exec/sync_hooks.h), no other
  // access to the bytes is allowed.
  bool asynchronous = false;
  std::uint32_t alignment = 0;  // in bytes; 0 means `bytes`
  Mask lanes = kAllLanes;       // only lanes that are also active take part
  // Stores in `out` what the lane is about to write. It is called if another thread wrote the same bytes or the block
  // has read them, since writing an unchanged value is not a race. If it is null, the value is not known, and the write
  // counts as a change.
  void (*value)(Warp&, const Code&, unsigned lane, std::byte* out) = nullptr;
};

// Sets the addresses to base + offset. The base may be a 32-bit register (`narrow`).
void read_addresses(Warp& warp, Slot base, bool narrow, std::int64_t offset, Access& access);
// Does the same for a memory instruction with a single address, operands[slot_index] + offset.
inline void read_addresses(Warp& warp, const Code& code, std::size_t slot_index, Access& access) {
  read_addresses(warp, code.operands[slot_index], (code.flags & kAddress32) != 0, code.offset, access);
}

// Checks the addresses of the active lanes, counts the traffic, records the accesses and sets `host`. Fails the block
// if a lane must not make the access.
void resolve(Warp& warp, Access& access);

}  // namespace vgpu
