// SPDX-License-Identifier: Apache-2.0
//
// What the checks know about bytes of memory: which were written since they were allocated, and who touched them last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "memory/races.h"
#include "memory/uses.h"

namespace vgpu {

// One flag for each of some bytes; all false at first. Blocks that run at once may set flags of the same bytes.
class ByteFlags {
 public:
  explicit ByteFlags(std::size_t size);

  bool all(std::size_t offset, std::size_t count) const;
  void fill(std::size_t offset, std::size_t count, bool value);
  void copy(const ByteFlags& from, std::size_t from_offset, std::size_t offset, std::size_t count);

  // The same for what one lane reads or writes: 1, 2, 4, 8, 16, ... bytes that begin at a multiple of their number are fast.
  bool all_aligned(std::size_t offset, std::size_t count) const;
  void set_aligned(std::size_t offset, std::size_t count);

 private:
  struct Free {
    void operator()(std::uint8_t* flags) const { std::free(flags); }
  };
  std::unique_ptr<std::uint8_t, Free> flags_;
};

class GlobalShadow {
 public:
  explicit GlobalShadow(std::size_t size) : initialised_(size), history_(size), uses_(size) {}

  void set_initialised(std::size_t offset, std::size_t count, bool value) { initialised_.fill(offset, count, value); }
  bool initialised(std::size_t offset, std::size_t count) const { return initialised_.all(offset, count); }
  void copy_initialised(const GlobalShadow& from, std::size_t from_offset, std::size_t offset, std::size_t count) {
    initialised_.copy(from.initialised_, from_offset, offset, count);
  }
  ByteFlags& initialised_bytes() { return initialised_; }
  AccessHistory& history() { return history_; }
  UseHistory& uses() { return uses_; }

 private:
  ByteFlags initialised_;
  AccessHistory history_;  // of the threads of the kernel that runs now
  UseHistory uses_;        // of the works before it
};

}  // namespace vgpu
