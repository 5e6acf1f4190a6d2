// SPDX-License-Identifier: Apache-2.0
//
// One instruction of a function body.
#pragma once

#include "ptx/lexer.h"
#include "ptx/module.h"

namespace vgpu::ptx {

// From behind the opcode's first word to the semicolon. Fills in all but the guard, the place and the text. Names are
// those of the text, and a register without a % is a symbol still.
void parse_instruction(Lexer& lexer, const Token& opcode, Instruction& instruction);

}  // namespace vgpu::ptx
