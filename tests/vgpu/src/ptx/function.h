// SPDX-License-Identifier: Apache-2.0
//
// Functions and kernels.
#pragma once

#include "ptx/lexer.h"
#include "ptx/module.h"

namespace vgpu::ptx {

// Parses from after `.entry` or `.func` to the end of the body, or to the `;` of a declaration.
Function parse_function(Lexer& lexer, bool is_entry);

// Skips a directive such as ".pragma "nounroll";" from after its name. Pragmas are hints to ptxas and are ignored.
void skip_pragma(Lexer& lexer);

}  // namespace vgpu::ptx
