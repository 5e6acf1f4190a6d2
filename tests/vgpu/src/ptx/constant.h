// SPDX-License-Identifier: Apache-2.0
//
// Constant expressions, which are evaluated when the module is parsed.
#pragma once

#include <cstdint>

#include "ptx/lexer.h"
#include "ptx/number.h"

namespace vgpu::ptx {

Constant parse_constant(Lexer& lexer);
std::int64_t parse_integer(Lexer& lexer);  // throws Error if the constant is not an integer

// Parses an integer from 0 to `most`, such as a size, an alignment or a count.
std::uint64_t parse_count(Lexer& lexer, const char* what, std::uint64_t most);

}  // namespace vgpu::ptx
