// SPDX-License-Identifier: Apache-2.0
//
// Decodes the opcodes that exist for both integer and floating-point types. The type suffix selects the family of
// instructions that decodes the rest.
#include "exec/instructions/families.h"
#include "exec/instructions/floats.h"

namespace vgpu {
namespace {

void decode_arithmetic(Decoder& d) {
  const auto& [opcode, words] = std::pair(d.instruction().opcode, d.instruction().modifiers);
  const auto type = words.empty() ? std::nullopt : ptx::type_named(words.back());
  if (!type || !ptx::is_float(*type)) {
    decode_integer_arithmetic(d);
  } else if (opcode == "abs" || opcode == "neg" || opcode == "min" || opcode == "max") {
    decode_selection(d);
  } else if (d.instruction().has("approx") || d.instruction().has("full")) {
    decode_approximation(d);
  } else if (is_half(*type) && !d.instruction().has("f32")) {
    decode_half_arithmetic(d);
  } else {
    decode_float_arithmetic(d);
  }
}

}  // namespace

void add_arithmetic(InstructionTable& table) {
  for (const char* opcode :
       {"add", "sub", "mul", "mad", "fma", "div", "rem", "abs", "neg", "min", "max", "rcp", "sqrt"})
    table[opcode] = decode_arithmetic;
}

}  // namespace vgpu
