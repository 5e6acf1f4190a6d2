// SPDX-License-Identifier: Apache-2.0
//
// What calls_fuzz.cpp makes of an input: choices, and arrays of exactly their size.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <memory>
#include <vector>

#include "attn_cuda/attn_cuda.h"

namespace attn::test {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLargestArray = 1 << 20;  // elements

// The elements of an array of these sizes; -1 if there would be too many, or a size is negative.
inline std::int64_t count_of(std::initializer_list<std::int64_t> sizes) {
  std::int64_t count = 1;
  for (const std::int64_t size : sizes) {
    if (size < 0 || size > kLargestArray || count * size > kLargestArray) return -1;
    count *= size;
  }
  return count;
}

class Choices {
 public:
  Choices(const std::uint8_t* bytes, std::size_t count) : bytes_(bytes), left_(count) {}

  // 0 to 255; 1 once the input has ended.
  std::uint8_t byte() {
    if (left_ == 0) return 1;
    --left_;
    return *bytes_++;
  }
  bool rarely() { return byte() % 16 == 0; }

  std::int64_t size() {
    static constexpr std::array<std::int64_t, 24> kSizes = {1,
                                                            2,
                                                            3,
                                                            4,
                                                            5,
                                                            7,
                                                            8,
                                                            9,
                                                            15,
                                                            16,
                                                            17,
                                                            31,
                                                            32,
                                                            33,
                                                            64,
                                                            65,
                                                            0,
                                                            0,
                                                            -1,
                                                            std::int64_t{1} << 31,
                                                            std::int64_t{1} << 32,
                                                            std::int64_t{1} << 61,
                                                            kMost,
                                                            -kMost - 1};
    const std::size_t choice = byte();
    return choice < 200 ? kSizes[choice % 16] : kSizes[choice % kSizes.size()];
  }
  attn_dtype_t dtype() { return static_cast<attn_dtype_t>(byte() % 16 == 15 ? 7 : byte() % 3); }
  // Never a size above the right one that the library believes, which would be a promise of more memory.
  std::size_t struct_size(std::size_t right) {
    if (!rarely()) return right;
    const std::array<std::size_t, 5> kWrong = {0, 8, right - 8, 4097, static_cast<std::size_t>(-1)};
    return kWrong[byte() % kWrong.size()];
  }

 private:
  const std::uint8_t* bytes_;
  std::size_t left_;
};

// The arrays of one input.
class Arrays {
 public:
  explicit Arrays(Choices& choices) : choices_(&choices) {}

  // An array of so many elements, seldom null, misaligned by a byte, or filled with NaN.
  void* of(std::size_t element, std::initializer_list<std::int64_t> sizes) {
    const std::int64_t count = count_of(sizes);
    if (count < 0) return refuse();
    const std::uint8_t choice = choices_->byte();
    if (choice % 32 == 0) return nullptr;
    const std::size_t shift = choice % 32 == 1 ? 1 : 0, bytes = static_cast<std::size_t>(count) * element;
    blocks_.emplace_back(std::malloc(bytes + shift), std::free);
    std::memset(blocks_.back().get(), choice % 32 == 2 ? 0xff : 0x3c, bytes + shift);
    return static_cast<char*>(blocks_.back().get()) + shift;
  }
  float* floats(std::initializer_list<std::int64_t> sizes) { return static_cast<float*>(of(sizeof(float), sizes)); }

  // Aligned to 64 bytes, with a size that is seldom too small.
  void* memory(std::size_t& bytes) {
    if (bytes > std::size_t{kLargestArray} * 16) return refuse();
    const std::size_t rounded = (bytes + 63) / 64 * 64;
    blocks_.emplace_back(std::aligned_alloc(64, rounded + 64), std::free);
    if (choices_->rarely() && bytes > 0) --bytes;
    return bytes == 0 && choices_->rarely() ? nullptr : blocks_.back().get();
  }

  std::int32_t* lengths(std::int64_t B, std::int64_t T) {
    if (choices_->byte() % 2 == 0) return nullptr;
    auto* values = static_cast<std::int32_t*>(of(sizeof(std::int32_t), {B}));
    if (values == nullptr || too_large_) return values;
    for (std::int64_t b = 0; b < B; ++b) {
      const std::int32_t choice = choices_->byte();
      const std::int32_t value = choice == 255   ? -1
                                 : choice == 254 ? std::numeric_limits<std::int32_t>::max()
                                 : T > 0         ? static_cast<std::int32_t>(choice % (T + 1))
                                                 : 0;
      std::memcpy(reinterpret_cast<char*>(values) + b * 4, &value, sizeof value);
    }
    return values;
  }

  // Whether an array could not be had, so that the call must not reach the computation.
  bool too_large() const { return too_large_; }

 private:
  void* refuse() {
    too_large_ = true;
    return nullptr;
  }

  Choices* choices_;
  std::vector<std::unique_ptr<void, decltype(&std::free)>> blocks_;
  bool too_large_ = false;
};

}  // namespace attn::test
