// SPDX-License-Identifier: Apache-2.0
//
// The numbers of a PTX text.
#pragma once

#include <cstdint>

#include "ptx/lexer.h"
#include "ptx/types.h"

namespace vgpu::ptx {

struct Constant {
  enum class Kind : std::uint8_t {
    kSigned,    // a 64-bit integer, like all integer constants of PTX
    kUnsigned,  // has the suffix U, or is too large for the signed kind
    kSingle,    // 0f3F800000
    kDouble,    // 0d3FF0000000000000
    kDecimal,   // 1.0: the bits of a double
  };
  Kind kind = Kind::kSigned;
  std::uint64_t bits = 0;

  bool is_integer() const { return kind == Kind::kSigned || kind == Kind::kUnsigned; }
};

Constant number_of(const Token& number);

// Returns the constant converted to a variable of this type. Throws Error if there is no such conversion.
std::uint64_t stored_as(const Constant& constant, Type type, std::uint32_t line);

}  // namespace vgpu::ptx
