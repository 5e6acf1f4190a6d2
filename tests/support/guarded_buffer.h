// SPDX-License-Identifier: Apache-2.0
//
// Memory that detects writes outside its bounds. It starts as NaN and is surrounded by NaN, so that reads out of bounds
// and elements that were never written show in the results. Any alignment can be chosen.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace attn::test {

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class GuardedMemory {
 public:
  // `misalignment` counts bytes (0..63, even) that data() lies past a 64-byte boundary.
  explicit GuardedMemory(std::size_t size, int misalignment = 0)
      : size_(size), memory_(kGuard + 2 * kLine + size_ + size_ % 2 + kGuard) {
    for (std::size_t at = 0; at < memory_.size(); ++at) memory_[at] = guard(at);
    offset_ = kGuard + (kLine - past_line()) % kLine + static_cast<std::size_t>(misalignment);
  }
  explicit GuardedMemory(const std::vector<std::byte>& bytes, int misalignment = 0)
      : GuardedMemory(bytes.size(), misalignment) {
    std::copy(bytes.begin(), bytes.end(), data());
  }

  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;
  GuardedMemory(GuardedMemory&&) = default;

  std::byte* data() { return memory_.data() + offset_; }
  const std::byte* data() const { return memory_.data() + offset_; }
  std::vector<std::byte> bytes() const { return {data(), data() + size_}; }

  // The whole allocation including its guards, for copying it elsewhere, and the offset of the contents in it.
  std::vector<std::byte>& memory() { return memory_; }
  std::size_t offset() const { return offset_; }
  // The offset of the allocation from a 64-byte boundary, in bytes.
  std::size_t past_line() const { return reinterpret_cast<std::uintptr_t>(memory_.data()) % kLine; }

  ::testing::AssertionResult intact() const {
    for (std::size_t at = 0; at < memory_.size(); ++at) {
      if (at == offset_) at += size_;
      if (at < memory_.size() && memory_[at] != guard(at))
        return ::testing::AssertionFailure() << "byte " << static_cast<std::int64_t>(at - offset_) << " of a buffer of "
                                             << size_ << " was overwritten";
    }
    return ::testing::AssertionSuccess();
  }

 private:
  static constexpr std::size_t kGuard = 256;  // bytes before and after the contents; more than the widest vector
  static constexpr std::size_t kLine = 64;

  // A distinctive NaN, so that an ordinary NaN that overwrites a guard is noticed as well. The pattern is a NaN in
  // every storage type, at every even offset.
  static std::byte guard(std::size_t at) { return std::byte{at % 2 == 0 ? std::uint8_t{0xed} : std::uint8_t{0x7f}}; }

  std::size_t size_;
  std::size_t offset_ = 0;
  std::vector<std::byte> memory_;
};

// GuardedMemory for fp32 elements.
class GuardedBuffer {
 public:
  // `misalignment` counts floats (0..15) that data() lies past a 64-byte boundary.
  explicit GuardedBuffer(std::int64_t size, int misalignment = 0)
      : memory_(static_cast<std::size_t>(size) * sizeof(float), misalignment * 4) {}

  explicit GuardedBuffer(const std::vector<float>& values, int misalignment = 0)
      : GuardedBuffer(static_cast<std::int64_t>(values.size()), misalignment) {
    std::copy(values.begin(), values.end(), data());
  }

  float* data() { return reinterpret_cast<float*>(memory_.data()); }
  const float* data() const { return reinterpret_cast<const float*>(memory_.data()); }
  std::vector<float> values() const { return {data(), data() + memory_.bytes().size() / sizeof(float)}; }
  ::testing::AssertionResult intact() const { return memory_.intact(); }

 private:
  GuardedMemory memory_;
};

// Fills the padding of `tensor` [B, T, width] with NaN. Without lengths there is no padding.
inline void fill_padding(std::vector<float>& tensor, std::int64_t T, std::int64_t width,
                         const std::vector<std::int32_t>& lengths, float filling = kNan) {
  for (std::size_t b = 0; b < lengths.size(); ++b) {
    const auto item = tensor.begin() + static_cast<std::int64_t>(b) * T * width;
    std::fill(item + lengths[b] * width, item + T * width, filling);
  }
}

}  // namespace attn::test
