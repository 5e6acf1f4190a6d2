// SPDX-License-Identifier: Apache-2.0
//
// How a workspace or a reserve space is divided among tensors. Every tensor starts at a multiple of 64 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace attn::internal {

inline constexpr std::int64_t divide_up(std::int64_t a, std::int64_t b) { return a / b + (a % b != 0); }
inline constexpr std::int64_t round_up(std::int64_t a, std::int64_t b) { return divide_up(a, b) * b; }

// Places tensors one after the other and returns their offsets in bytes. Where a size overflows, bytes() stays at its
// maximum instead of wrapping around, so that no workspace can satisfy it.
class Layout {
 public:
  // The offset of a tensor of `count` elements of `size` bytes each.
  std::int64_t add(std::int64_t count, std::int64_t size = sizeof(float)) {
    const std::int64_t offset = bytes_;
    if (__builtin_mul_overflow(count, size, &count) || count > kMaxBytes - 63 ||
        __builtin_add_overflow(bytes_, round_up(count, 64), &bytes_))
      bytes_ = kMaxBytes;
    return offset;
  }
  // The same for a tensor [rows, columns], whose element count may overflow.
  std::int64_t add_rows(std::int64_t rows, std::int64_t columns, std::int64_t size = sizeof(float)) {
    std::int64_t count = 0;
    return add(__builtin_mul_overflow(rows, columns, &count) ? kMaxBytes : count, size);
  }
  std::int64_t bytes() const { return bytes_; }

 private:
  static constexpr std::int64_t kMaxBytes = std::numeric_limits<std::int64_t>::max() / 64 * 64;
  std::int64_t bytes_ = 0;
};

// The same for typed pointers into one workspace. Constructed from a null pointer it returns null pointers and only
// adds up how many bytes are needed.
class WorkspaceAllocator {
 public:
  explicit WorkspaceAllocator(void* workspace) : base_(static_cast<std::byte*>(workspace)) {}

  template <class Value>
  Value* allocate(std::int64_t count) {
    const std::int64_t offset = layout_.add(count, sizeof(Value));
    return base_ == nullptr ? nullptr : reinterpret_cast<Value*>(base_ + offset);
  }

  std::size_t bytes() const { return static_cast<std::size_t>(layout_.bytes()); }

 private:
  std::byte* base_;
  Layout layout_;
};

}  // namespace attn::internal
