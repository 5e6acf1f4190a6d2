// SPDX-License-Identifier: Apache-2.0
//
// Declarations of variables and parameters.
#pragma once

#include <vector>

#include "ptx/lexer.h"
#include "ptx/module.h"

namespace vgpu::ptx {

// Parses a type such as ".f32". Throws Error "expected `what`" for other tokens.
Type parse_type(Lexer& lexer, const char* what);

// Parses from after the state space to the `;`, as in ".align 4 .b8 name[16] = {1, 2};" and ".b32 a, b;".
std::vector<Variable> parse_variables(Lexer& lexer, Space space);

// Parses a list such as "(.param .b32 a, .param .align 8 .b8 b[16])".
std::vector<Variable> parse_parameters(Lexer& lexer);

// Parses "(.managed)" or "(.unified(1, 2))" from after `.attribute`. Returns whether it is `.managed`.
bool skip_attribute(Lexer& lexer);

// Parses the initial value after the "=". If the first of `dimensions` is 0, the value determines it.
void parse_initial_value(Lexer& lexer, std::vector<std::size_t> dimensions, Variable& variable);

}  // namespace vgpu::ptx
