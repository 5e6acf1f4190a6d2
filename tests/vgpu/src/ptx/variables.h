// SPDX-License-Identifier: Apache-2.0
//
// Declarations of variables and parameters.
#pragma once

#include <vector>

#include "ptx/lexer.h"
#include "ptx/module.h"

namespace vgpu::ptx {

// ".f32" and the like. Throws Error saying that `what` was expected.
Type parse_type(Lexer& lexer, const char* what);

// From behind the state space to the `;`: ".align 4 .b8 name[16] = {1, 2};", ".b32 a, b;".
std::vector<Variable> parse_variables(Lexer& lexer, Space space);

// "(.param .b32 a, .param .align 8 .b8 b[16])".
std::vector<Variable> parse_parameters(Lexer& lexer);

// "(.managed)", "(.unified(1, 2))", from behind `.attribute`. Returns whether it says `.managed`.
bool skip_attribute(Lexer& lexer);

// What stands behind the "=". `dimensions` are the variable's; where the first is 0, the value sets its size.
void parse_initial_value(Lexer& lexer, std::vector<std::size_t> dimensions, Variable& variable);

}  // namespace vgpu::ptx
