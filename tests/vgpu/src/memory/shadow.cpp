// SPDX-License-Identifier: Apache-2.0
#include "memory/shadow.h"

#include <sys/mman.h>

#include <cstring>
#include <new>

namespace vgpu {
namespace {

constexpr std::uint64_t kAllSet = 0x0101010101010101u;

// Uses relaxed atomics, since another block may be setting the same flags.
template <class Word>
bool is_set(const std::uint8_t* flags) {
  return __atomic_load_n(reinterpret_cast<const Word*>(flags), __ATOMIC_RELAXED) == static_cast<Word>(kAllSet);
}
template <class Word>
void set(std::uint8_t* flags) {
  __atomic_store_n(reinterpret_cast<Word*>(flags), static_cast<Word>(kAllSet), __ATOMIC_RELAXED);
}

}  // namespace

// The operating system provides zeroed pages on first access, so no page is initialised here.
ByteFlags::ByteFlags(std::size_t size) : flags_(static_cast<std::uint8_t*>(std::calloc(size + 1, 1))), size_(size) {
  if (flags_ == nullptr) throw std::bad_alloc();
}

// Whole pages are returned to the operating system and read as zero afterwards.
void ByteFlags::forget() {
  constexpr std::uintptr_t kPage = 4096;
  const auto first = reinterpret_cast<std::uintptr_t>(flags_.get());
  const std::uintptr_t begin = (first + kPage - 1) / kPage * kPage, end = (first + size_) / kPage * kPage;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

bool ByteFlags::all(std::size_t offset, std::size_t count) const {
  return std::memchr(flags_.get() + offset, 0, count) == nullptr;
}

void ByteFlags::fill(std::size_t offset, std::size_t count, bool value) {
  std::memset(flags_.get() + offset, value ? 1 : 0, count);
}

void ByteFlags::copy(const ByteFlags& from, std::size_t from_offset, std::size_t offset, std::size_t count) {
  std::memmove(flags_.get() + offset, from.flags_.get() + from_offset, count);
}

bool ByteFlags::all_aligned(std::size_t offset, std::size_t count) const {
  const std::uint8_t* flags = flags_.get() + offset;
  switch (count) {
    case 1:
      return is_set<std::uint8_t>(flags);
    case 2:
      return is_set<std::uint16_t>(flags);
    case 4:
      return is_set<std::uint32_t>(flags);
    default:
      if (count % 8 != 0) return all(offset, count);
      for (std::size_t i = 0; i < count; i += 8)
        if (!is_set<std::uint64_t>(flags + i)) return false;
      return true;
  }
}

void ByteFlags::set_aligned(std::size_t offset, std::size_t count) {
  std::uint8_t* flags = flags_.get() + offset;
  switch (count) {
    case 1:
      return set<std::uint8_t>(flags);
    case 2:
      return set<std::uint16_t>(flags);
    case 4:
      return set<std::uint32_t>(flags);
    default:
      if (count % 8 != 0) return fill(offset, count, true);
      for (std::size_t i = 0; i < count; i += 8) set<std::uint64_t>(flags + i);
  }
}

}  // namespace vgpu
