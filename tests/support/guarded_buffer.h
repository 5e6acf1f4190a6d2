// SPDX-License-Identifier: Apache-2.0
//
// Memory that notices being written outside its bounds, read outside them (what stands there is NaN), or not
// written at all (it starts as NaN), at any alignment.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace attn::test {

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class GuardedBuffer {
 public:
  // `misalignment` counts floats (0..15) that data() stands behind a boundary of 64 bytes.
  explicit GuardedBuffer(std::int64_t size, int misalignment = 0)
      : GuardedBuffer(std::vector<float>(static_cast<std::size_t>(size), kNan), misalignment) {}

  explicit GuardedBuffer(const std::vector<float>& values, int misalignment = 0)
      : size_(values.size()), memory_(kGuard + 2 * kLine + size_ + kGuard, guard()) {
    offset_ = kGuard + (kLine - past_line()) % kLine + static_cast<std::size_t>(misalignment);
    std::copy(values.begin(), values.end(), data());
  }

  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;
  GuardedBuffer(GuardedBuffer&&) = default;

  float* data() { return memory_.data() + offset_; }
  const float* data() const { return memory_.data() + offset_; }
  std::vector<float> values() const { return {data(), data() + size_}; }

  // The whole of it with its guards, for a copy elsewhere, and where in it the values begin, in floats.
  std::vector<float>& memory() { return memory_; }
  std::size_t offset() const { return offset_; }
  // How many floats the whole of it begins behind a boundary of 64 bytes.
  std::size_t past_line() const { return reinterpret_cast<std::uintptr_t>(memory_.data()) / sizeof(float) % kLine; }

  ::testing::AssertionResult intact() const {
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      if (i == offset_) i += size_;
      if (i < memory_.size() && !is_guard(memory_[i]))
        return ::testing::AssertionFailure() << "element " << static_cast<std::int64_t>(i - offset_)
                                             << " of a buffer of " << size_ << " was overwritten with " << memory_[i];
    }
    return ::testing::AssertionSuccess();
  }

 private:
  static constexpr std::size_t kGuard = 64;  // floats before and behind, whole lines: more than the widest vector
  static constexpr std::size_t kLine = 16;   // floats in 64 bytes

  // A NaN of its own, so that an ordinary NaN written over a guard is noticed too.
  static constexpr std::uint32_t kGuardBits = 0x7fedc0de;
  static float guard() {
    float value;
    std::memcpy(&value, &kGuardBits, sizeof value);
    return value;
  }
  static bool is_guard(float value) { return std::memcmp(&value, &kGuardBits, sizeof value) == 0; }

  std::size_t size_;
  std::size_t offset_ = 0;
  std::vector<float> memory_;
};

// Fills what stands behind the lengths in `tensor` [B, T, width]; no lengths: no padding.
inline void fill_padding(std::vector<float>& tensor, std::int64_t T, std::int64_t width,
                         const std::vector<std::int32_t>& lengths, float filling = kNan) {
  for (std::size_t b = 0; b < lengths.size(); ++b) {
    const auto item = tensor.begin() + static_cast<std::int64_t>(b) * T * width;
    std::fill(item + lengths[b] * width, item + T * width, filling);
  }
}

}  // namespace attn::test
