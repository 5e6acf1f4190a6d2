// SPDX-License-Identifier: Apache-2.0
//
// Completes short texts to PTX modules, for the tests of the parser.
#pragma once

#include <string>

#include "ptx/module.h"

namespace vgpu::ptx {

// The declarations begin in line 2 of the module.
inline Module module_of(const std::string& declarations) {
  return parse(".version 9.0 .target sm_90 .address_size 64\n" + declarations);
}

// The statements begin in line 3 of the module.
inline Function function_of(const std::string& statements) {
  const std::string registers = ".reg .pred %p<4>; .reg .b32 %r<8>; .reg .b64 %rd<4>;\n";
  return module_of(".visible .entry k() { " + registers + statements + "}").functions.at("k");
}

inline Instruction instruction_of(const std::string& text) { return function_of(text).body.at(0); }

inline Operand operand_of(const std::string& text, std::size_t index) {
  return instruction_of(text).operands.at(index);
}

}  // namespace vgpu::ptx
