// SPDX-License-Identifier: Apache-2.0
//
// One memory access of the active lanes: from addresses to bytes of the host, past every check and counter.
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
  ptx::Space space;     // as the instruction says; generic is resolved lane by lane
  std::uint32_t bytes;  // per lane, all elements of a vector
  bool strong = false;  // .volatile, .relaxed, .acquire, .release, and atomics: ordered against other threads
  std::array<std::uint64_t, kLanes> address{};
  std::array<std::byte*, kLanes> host{};  // of the active lanes, once resolved

  // A strong write that releases no more than a fence before it did: .relaxed, .volatile, and atomics without .release or
  // .acq_rel. A strong read always acquires.
  bool relaxed = false;
  // A write to shared memory by an asynchronous copy: the bytes belong to the copy until finish_copy() (exec/sync_hooks.h).
  bool asynchronous = false;
  std::uint32_t alignment = 0;  // 0: as many as `bytes`
  Mask lanes = kAllLanes;       // which of the active lanes take part
  // What a lane is about to write, asked for only where another thread wrote the same bytes or the block has read them: to
  // write what stands there already is no race. Null: not known, so taken to be something else.
  void (*value)(Warp&, const Code&, unsigned lane, std::byte* out) = nullptr;
};

// Fills in the addresses: base + offset, where the base may be a 32-bit register.
void read_addresses(Warp& warp, Slot base, bool narrow, std::int64_t offset, Access& access);
// Those of a memory instruction with one address: operands[slot_index] + offset.
inline void read_addresses(Warp& warp, const Code& code, std::size_t slot_index, Access& access) {
  read_addresses(warp, code.operands[slot_index], (code.flags & kAddress32) != 0, code.offset, access);
}

// Checks the active lanes' addresses, counts the traffic, notes who touched what, and fills in `host`. Fails the block
// where a lane must not do this.
void resolve(Warp& warp, Access& access);

}  // namespace vgpu
