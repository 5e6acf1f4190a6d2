// SPDX-License-Identifier: Apache-2.0
//
// Functions and kernels.
#pragma once

#include "ptx/lexer.h"
#include "ptx/module.h"

namespace vgpu::ptx {

// From behind `.entry` or `.func` to the end of the body, or to the `;` of a declaration.
Function parse_function(Lexer& lexer, bool is_entry);

// ".pragma "nounroll";", from behind the word. Pragmas are advice to ptxas.
void skip_pragma(Lexer& lexer);

}  // namespace vgpu::ptx
