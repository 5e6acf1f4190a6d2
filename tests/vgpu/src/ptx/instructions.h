// SPDX-License-Identifier: Apache-2.0
//
// One instruction of a function body.
#pragma once

#include "ptx/lexer.h"
#include "ptx/module.h"

namespace vgpu::ptx {

// Parses from after the first word of the opcode to the semicolon. Sets all members except the guard, the place and the
// text. Names are kept as written, and a register without a % is still a symbol.
void parse_instruction(Lexer& lexer, const Token& opcode, Instruction& instruction);

}  // namespace vgpu::ptx
