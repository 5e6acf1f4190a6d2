// SPDX-License-Identifier: Apache-2.0
//
// The contents of a PTX text, parsed but not resolved: variables, functions, and instructions as words.
// The meaning of an instruction is defined in exec/decode.h.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ptx/types.h"

namespace vgpu::ptx {

// Thrown if the PTX text cannot be parsed or uses a feature that the executor does not support. The message contains
// the line.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Operand {
  enum class Kind : std::uint8_t {
    kRegister,   // name: a register or special register, such as "%r1" or "%tid.x"; `negated` for "!%p1"
    kImmediate,  // bits: an integer as two's complement, a 0f.. literal as 32 bits, a 0d.. literal as 64
    kFloat,      // bits: a decimal floating literal such as 1.5, as the bits of a double
    kSymbol,     // name (+ offset): a variable, function, label or parameter
    kAddress,    // [name + offset], [offset]: name is a register, a symbol, or empty; [name, a, ...]: elements
    kVector,     // {a, b, ...}: elements
    kSink,       // _
  };
  Kind kind = Kind::kSink;
  bool negated = false;
  std::string name;
  std::uint64_t bits = 0;
  std::int64_t offset = 0;
  std::vector<Operand> elements;
  // "%p1|%p2" and "%r1|%p1": the second destination, as a single operand.
  std::vector<Operand> second;
};

// The position of an instruction, used in messages.
struct Place {
  std::uint32_t line = 0;       // in the PTX text, from 1
  std::uint32_t file = 0;       // index of `.file`; 0 if unknown
  std::uint32_t file_line = 0;  // line in that file
};

struct Instruction {
  std::string opcode;                  // "ld", "fma", ...
  std::vector<std::string> modifiers;  // "global", "v4", "f32", "shared::cta", ...: the words after the dots, in order
  std::string guard;                   // name of the guard predicate; empty if there is none
  bool guard_negated = false;
  // The operands in the order of the text. A call always has {results}, target, {arguments}, where both lists are
  // vectors that may be empty. An indirect call has a fourth operand, the label of its .callprototype or .calltargets.
  std::vector<Operand> operands;
  Place place;
  std::string text;  // as written, with single blanks, without the semicolon

  bool has(std::string_view modifier) const;
};

// A variable in memory at module or function scope, or a parameter.
struct Variable {
  std::string name;
  Space space = Space::kGlobal;
  Type type = Type::kB8;
  std::size_t alignment = 1;
  std::size_t size = 0;  // bytes of the whole array
  bool is_extern = false;
  bool is_managed = false;         // .attribute(.managed)
  std::vector<std::byte> initial;  // if shorter than size, the rest is zero; empty if there is no initial value
  // Addresses of other symbols stored in the initial value: (byte offset, symbol name + addend; generic or not).
  struct Relocation {
    std::size_t offset;
    std::size_t size;  // number of bytes stored: 8, or fewer for the low bytes of the address
    std::string symbol;
    std::int64_t addend;
    bool generic;
  };
  std::vector<Relocation> relocations;
};

struct Function {
  std::string name;
  bool is_entry = false;
  bool is_declaration = false;
  std::vector<Variable> parameters;
  std::vector<Variable> results;  // `.func (.param ...) name`
  // Registers, variables and labels that are declared in nested `{ }` are given unique names, such as "param0@3", both
  // here and where they are used. Those declared in the outermost scope of the body keep their names.
  std::vector<Variable> variables;  // .shared, .local and .param variables of all scopes in the body
  std::map<std::string, Type> registers;
  std::vector<Instruction> body;
  std::map<std::string, std::size_t> labels;  // name to index in `body`
  // `.branchtargets` and `.calltargets` lists, by their label.
  std::map<std::string, std::vector<std::string>> branch_targets;
  std::map<std::string, std::string> prototypes;  // `.callprototype` texts, by their label
  // By name: "maxntid", "reqntid", "minnctapersm", "noreturn", ...
  std::map<std::string, std::vector<std::uint32_t>> directives;
};

struct Module {
  std::string version;       // "9.0"
  std::uint32_t target = 0;  // 90 for sm_90
  std::vector<Variable> variables;
  std::map<std::string, Function> functions;
  std::map<std::uint32_t, std::string> files;
  std::vector<std::string> lines;  // the text, used in messages
};

// Throws Error "PTX line N: ...".
Module parse(const std::string& text);

}  // namespace vgpu::ptx
