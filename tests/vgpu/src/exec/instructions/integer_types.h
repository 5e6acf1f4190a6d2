// SPDX-License-Identifier: Apache-2.0
//
// Maps the integer types of PTX to those of C++.
#pragma once

#include <cstdint>

#include "ptx/types.h"

namespace vgpu {

// Returns f applied to any value of the C++ type, or null if the type is none of these.
template <class F>
auto for_integers(ptx::Type type, F f) -> decltype(f(0)) {
  switch (type) {
    case ptx::Type::kU16:
      return f(std::uint16_t{});
    case ptx::Type::kS16:
      return f(std::int16_t{});
    case ptx::Type::kU32:
      return f(std::uint32_t{});
    case ptx::Type::kS32:
      return f(std::int32_t{});
    case ptx::Type::kU64:
      return f(std::uint64_t{});
    case ptx::Type::kS64:
      return f(std::int64_t{});
    default:
      return nullptr;
  }
}

// Also covers the 8-bit types, which can be converted but not computed with.
template <class F>
auto for_all_integers(ptx::Type type, F f) -> decltype(f(0)) {
  if (type == ptx::Type::kU8) return f(std::uint8_t{});
  if (type == ptx::Type::kS8) return f(std::int8_t{});
  return for_integers(type, f);
}

// Returns f applied to an unsigned value that is as wide as a register of this size.
template <class F>
auto with_register(std::size_t size, F f) -> decltype(f(std::uint64_t{})) {
  switch (size) {
    case 1:
      return f(std::uint8_t{});
    case 2:
      return f(std::uint16_t{});
    case 4:
      return f(std::uint32_t{});
    default:
      return f(std::uint64_t{});
  }
}

}  // namespace vgpu
