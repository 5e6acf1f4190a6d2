// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/split.h"

namespace attn::cpu {

// Gives out consecutive pieces of a workspace; of a null one, to learn how much is needed.
class Carver {
 public:
  explicit Carver(void* workspace) : base_(static_cast<std::byte*>(workspace)) {}

  template <class Value>
  Value* take(std::int64_t count) {
    Value* const piece = base_ == nullptr ? nullptr : reinterpret_cast<Value*>(base_ + bytes_);
    bytes_ += static_cast<std::size_t>(divide_up(count * static_cast<std::int64_t>(sizeof(Value)), 64)) * 64;
    return piece;
  }

  std::size_t bytes() const { return bytes_; }

 private:
  std::byte* base_;
  std::size_t bytes_ = 0;
};

}  // namespace attn::cpu
