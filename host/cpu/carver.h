// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/split.h"

namespace attn::cpu {

// Gives out consecutive pieces of a workspace; of a null one, to learn how much is needed. What is too large for any
// memory stays so instead of wrapping around.
class Carver {
 public:
  explicit Carver(void* workspace) : base_(static_cast<std::byte*>(workspace)) {}

  template <class Value>
  Value* take(std::int64_t count) {
    Value* const piece = base_ == nullptr ? nullptr : reinterpret_cast<Value*>(base_ + bytes_);
    std::size_t bytes = 0;
    const bool overflows = __builtin_mul_overflow(static_cast<std::size_t>(count), sizeof(Value), &bytes);
    bytes_ = overflows || bytes > kMost - bytes_ ? kMost : bytes_ + (bytes + 63) / 64 * 64;
    return piece;
  }

  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kMost = PTRDIFF_MAX / 64 * 64;

  std::byte* base_;
  std::size_t bytes_ = 0;
};

}  // namespace attn::cpu
