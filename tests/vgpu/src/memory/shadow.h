// SPDX-License-Identifier: Apache-2.0
//
// What the checks record for each byte of memory: whether it was written since its allocation, and the last accesses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "memory/races.h"
#include "memory/uses.h"

namespace vgpu {

// A flag for each byte, initially false. Blocks that run concurrently may set flags of the same bytes.
class ByteFlags {
 public:
  explicit ByteFlags(std::size_t size);

  bool all(std::size_t offset, std::size_t count) const;
  void fill(std::size_t offset, std::size_t count, bool value);
  // Returns most of the memory to the system; the values of the flags are unspecified afterwards. Other threads may be
  // using the flags at this moment.
  void forget();
  void copy(const ByteFlags& from, std::size_t from_offset, std::size_t offset, std::size_t count);

  // The same for the access of one lane. This is fast for sizes of 1, 2, 4, 8, 16, ... bytes that are aligned to their
  // size.
  bool all_aligned(std::size_t offset, std::size_t count) const;
  void set_aligned(std::size_t offset, std::size_t count);

 private:
  struct Free {
    void operator()(std::uint8_t* flags) const { std::free(flags); }
  };
  std::unique_ptr<std::uint8_t, Free> flags_;
  std::size_t size_;
};

class GlobalShadow {
 public:
  explicit GlobalShadow(std::size_t size) : initialised_(size), history_(size), uses_(size) {}

  void set_initialised(std::size_t offset, std::size_t count, bool value) { initialised_.fill(offset, count, value); }
  bool initialised(std::size_t offset, std::size_t count) const { return initialised_.all(offset, count); }
  void copy_initialised(const GlobalShadow& from, std::size_t from_offset, std::size_t offset, std::size_t count) {
    initialised_.copy(from.initialised_, from_offset, offset, count);
  }
  // Returns the memory that is not needed by threads which may still be using the shadow at this moment.
  void forget() {
    initialised_.forget();
    history_.forget();
  }
  ByteFlags& initialised_bytes() { return initialised_; }
  AccessHistory& history() { return history_; }
  UseHistory& uses() { return uses_; }

 private:
  ByteFlags initialised_;
  AccessHistory history_;  // accesses by threads of the current kernel
  UseHistory uses_;        // uses by the work before it
};

}  // namespace vgpu
