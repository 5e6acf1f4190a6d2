// SPDX-License-Identifier: Apache-2.0
//
// The barrier object of mbarrier instructions: 64 bits in shared memory, whose layout the PTX ISA leaves unspecified.
// Here it consists of, from the least significant bit: the pending arrivals of the phase (20 bits), the expected
// arrivals of a phase (20), the pending bytes of asynchronous copies (tx-count; 21, signed), and the number of the
// phase (3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace vgpu {

struct Mbarrier {
  static constexpr std::uint32_t kMost = (1u << 20) - 1;  // of arrivals and of bytes

  std::uint32_t pending = 0, expected = 0;
  std::int32_t bytes = 0;
  std::uint32_t phase = 0;

  static Mbarrier of_bits(std::uint64_t bits) {
    Mbarrier barrier;
    barrier.pending = static_cast<std::uint32_t>(bits) & kMost;
    barrier.expected = static_cast<std::uint32_t>(bits >> 20) & kMost;
    barrier.bytes = static_cast<std::int32_t>(static_cast<std::int64_t>(bits << 3) >> 43);
    barrier.phase = static_cast<std::uint32_t>(bits >> 61);
    return barrier;
  }
  std::uint64_t bits() const {
    return std::uint64_t{pending} | std::uint64_t{expected} << 20 |
           (static_cast<std::uint64_t>(bytes) & ((1u << 21) - 1)) << 40 | std::uint64_t{phase & 7} << 61;
  }

  static Mbarrier load(const std::byte* from) {
    std::uint64_t bits;
    std::memcpy(&bits, from, sizeof bits);
    return of_bits(bits);
  }
  void store(std::byte* to) const {
    const std::uint64_t all = bits();
    std::memcpy(to, &all, sizeof all);
  }

  bool complete() const { return pending == 0 && bytes == 0; }
  void begin_next_phase() {
    phase = (phase + 1) & 7;
    pending = expected;
  }
};

}  // namespace vgpu
