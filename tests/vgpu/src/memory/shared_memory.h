// SPDX-License-Identifier: Apache-2.0
//
// The shared memory of one block, and its shadow.
#pragma once

#include <cstddef>
#include <vector>

#include "memory/shadow.h"

namespace vgpu {

class SharedMemory {
 public:
  explicit SharedMemory(std::size_t size) : bytes_(size), initialised_(size), history_(size) {}

  std::size_t size() const { return bytes_.size(); }
  std::byte* bytes(std::size_t offset) { return bytes_.data() + offset; }
  ByteFlags& initialised_bytes() { return initialised_; }
  AccessHistory& history() { return history_; }

 private:
  std::vector<std::byte> bytes_;
  ByteFlags initialised_;
  AccessHistory history_;
};

}  // namespace vgpu
