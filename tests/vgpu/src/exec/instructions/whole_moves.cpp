// SPDX-License-Identifier: Apache-2.0
#include "exec/instructions/whole_moves.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace vgpu {
namespace {

template <class Word>
void load(std::byte* to, const std::byte* place) {
  const Word word = __atomic_load_n(reinterpret_cast<const Word*>(place), __ATOMIC_ACQUIRE);
  std::memcpy(to, &word, sizeof word);
}

template <class Word>
void store(std::byte* place, const std::byte* from) {
  Word word = 0;
  std::memcpy(&word, from, sizeof word);
  __atomic_store_n(reinterpret_cast<Word*>(place), word, __ATOMIC_RELEASE);
}

}  // namespace

void load_whole(std::byte* to, const std::byte* place, std::size_t bytes) {
  switch (bytes) {
    case 2:
      return load<std::uint16_t>(to, place);
    case 4:
      return load<std::uint32_t>(to, place);
    case 8:
      return load<std::uint64_t>(to, place);
    default:
      const std::lock_guard<std::mutex> lock(wide_lock(place));
      std::memcpy(to, place, bytes);
  }
}

void store_whole(std::byte* place, const std::byte* from, std::size_t bytes) {
  switch (bytes) {
    case 2:
      return store<std::uint16_t>(place, from);
    case 4:
      return store<std::uint32_t>(place, from);
    case 8:
      return store<std::uint64_t>(place, from);
    default:
      const std::lock_guard<std::mutex> lock(wide_lock(place));
      std::memcpy(place, from, bytes);
  }
}

std::mutex& wide_lock(const std::byte* place) {
  static std::array<std::mutex, 64> locks;
  return locks[reinterpret_cast<std::uintptr_t>(place) / 16 % locks.size()];
}

}  // namespace vgpu
