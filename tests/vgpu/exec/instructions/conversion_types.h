// SPDX-License-Identifier: Apache-2.0
//
// From integer types of PTX to those of C++, for conversions.
#pragma once

#include <cstdint>

#include "ptx/types.h"

namespace vgpu {

// f of any value of the C++ type; the default value of what f gives where the type is no integer.
template <class F>
auto with_integer(ptx::Type type, F f) -> decltype(f(0)) {
  switch (type) {
    case ptx::Type::kU8:
      return f(std::uint8_t{});
    case ptx::Type::kS8:
      return f(std::int8_t{});
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

// The same of what a register of this size holds.
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
