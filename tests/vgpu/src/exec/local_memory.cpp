// SPDX-License-Identifier: Apache-2.0
#include "exec/local_memory.h"

#include <algorithm>
#include <cstring>

#include "exec/code.h"

namespace vgpu {

bool LocalMemory::reserve(std::size_t bytes) {
  if (bytes <= stride_) return true;
  if (bytes > kMost) return false;
  const std::size_t stride = std::min(kMost, std::max({bytes, 2 * stride_, std::size_t{256}}));
  std::vector<std::byte> grown(kLanes * stride);
  std::vector<std::uint8_t> known(kLanes * stride);
  for (std::size_t lane = 0; lane < kLanes && stride_ > 0; ++lane) {
    std::memcpy(grown.data() + lane * stride, bytes_.data() + lane * stride_, stride_);
    std::memcpy(known.data() + lane * stride, initialised_.data() + lane * stride_, stride_);
  }
  bytes_.swap(grown);
  initialised_.swap(known);
  stride_ = stride;
  return true;
}

void LocalMemory::forget(unsigned lane, std::size_t first, std::size_t count) {
  std::memset(initialised_.data() + lane * stride_ + first, 0, count);
}

bool LocalMemory::initialised(unsigned lane, std::size_t offset, std::size_t count) const {
  const auto begin = initialised_.begin() + static_cast<std::ptrdiff_t>(lane * stride_ + offset);
  return std::all_of(begin, begin + static_cast<std::ptrdiff_t>(count), [](std::uint8_t known) { return known != 0; });
}

void LocalMemory::set_initialised(unsigned lane, std::size_t offset, std::size_t count) {
  std::memset(initialised_.data() + lane * stride_ + offset, 1, count);
}

}  // namespace vgpu
