// SPDX-License-Identifier: Apache-2.0
//
// Expressions of numbers, which PTX evaluates while it is translated.
#pragma once

#include <cstdint>

#include "ptx/lexer.h"
#include "ptx/number.h"

namespace vgpu::ptx {

Constant parse_constant(Lexer& lexer);
std::int64_t parse_integer(Lexer& lexer);  // throws Error if the constant is none

// An integer from 0 to `most`: a size, an alignment, a count.
std::uint64_t parse_count(Lexer& lexer, const char* what, std::uint64_t most);

}  // namespace vgpu::ptx
