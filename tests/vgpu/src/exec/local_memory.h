// SPDX-License-Identifier: Apache-2.0
//
// The local memory of a warp's lanes: local variables and the parameters of calls. It grows with the depth of calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vgpu {

class LocalMemory {
 public:
  static constexpr std::size_t kMost = std::size_t{512} << 10;  // bytes per thread, the limit of GPUs since sm_20

  // Makes [0, bytes) of every lane usable. Returns false if that exceeds kMost.
  bool reserve(std::size_t bytes);

  // Marks the bytes as uninitialised.
  void forget(unsigned lane, std::size_t first, std::size_t count);

  std::size_t size() const { return stride_; }
  std::byte* bytes(unsigned lane, std::size_t offset) { return bytes_.data() + lane * stride_ + offset; }
  bool initialised(unsigned lane, std::size_t offset, std::size_t count) const;
  void set_initialised(unsigned lane, std::size_t offset, std::size_t count);

 private:
  std::size_t stride_ = 0;
  std::vector<std::byte> bytes_;           // [32, stride]
  std::vector<std::uint8_t> initialised_;  // [32, stride]
};

}  // namespace vgpu
