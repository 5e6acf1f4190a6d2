// SPDX-License-Identifier: Apache-2.0
//
// Decoding translates the text of an instruction to a handler and its operands. Each instruction family is a file in
// instructions/ that adds a decoding function for each of its opcodes to the table. A decoding function takes the
// modifiers and the operands' slots from the Decoder and selects a handler.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "exec/code.h"
#include "exec/program.h"

namespace vgpu {

// Builds one Function and numbers its slots.
class FunctionBuilder {
 public:
  FunctionBuilder(Program& program, const ptx::Function& source, Function& out);
  void build();

  Slot register_slot(const std::string& name);
  Slot constant(std::uint64_t bits, std::size_t size);
  Slot predicate_constant(bool value);
  Slot scratch(std::size_t size);  // written but never read
  Slot carry_flag();               // a predicate: the carry flag of add.cc and similar instructions
  Slot special(Special special, std::size_t size);
  Slot frame_address(std::uint32_t offset, std::size_t size);
  ptx::Type register_type(const std::string& name) const;  // kNone if there is no such register

  Program& program() { return *program_; }
  const ptx::Function& source() const { return *source_; }
  Function& out() { return *out_; }

  // Returns the offset in the frame of a local variable, a call's parameter, or (except in kernels) a parameter or
  // result. Returns -1 if there is no such variable.
  std::int64_t frame_offset(const std::string& variable) const;
  // Returns the offset of a kernel's parameter, or -1 if there is none or the function is not a kernel.
  std::int64_t kernel_parameter(const std::string& name) const;
  const ptx::Variable* shared_variable(const std::string& name) const;

 private:
  void place_frame();
  Slot take(std::size_t size);

  Program* program_;
  const ptx::Function* source_;
  Function* out_;
  std::map<std::string, Slot> registers_;
  std::map<std::pair<std::uint64_t, std::size_t>, Slot> constants_;
  std::map<std::pair<Special, std::size_t>, Slot> specials_;
  std::map<std::pair<std::uint32_t, std::size_t>, Slot> frame_addresses_;
  std::map<std::string, std::uint32_t> frame_offsets_;
  std::map<std::string, std::uint32_t> kernel_parameters_;
  Slot carry_flag_ = kNoSlot;
  std::size_t constants_size_ = 0;
};

class Decoder {
 public:
  Decoder(FunctionBuilder& builder, const ptx::Instruction& instruction, Code& code)
      : builder_(&builder), instruction_(&instruction), code_(&code) {}

  const ptx::Instruction& instruction() const { return *instruction_; }
  FunctionBuilder& builder() { return *builder_; }
  Code& code() { return *code_; }

  // ---- modifiers ----------------------------------------------------------------------------------------------------
  bool take(std::string_view word);      // if the next unused modifier is this one, uses it and returns true
  bool take_any(std::string_view word);  // the same at any position among the unused ones
  ptx::Type take_type();                 // the next modifier, which must be a type
  std::string take_word();               // the next modifier, or "" if none is left
  std::string peek() const;
  void finish() const;  // fails if modifiers are left
  // Rejects the instruction with an error that contains its line and text.
  [[noreturn]] void unknown(const std::string& why = "") const;

  // ---- operands -----------------------------------------------------------------------------------------------------
  std::size_t operand_count() const { return instruction_->operands.size(); }
  const ptx::Operand& operand(std::size_t index) const;

  // Returns the slot of a value of this type: a register, an immediate, a special register, or the address of a
  // variable or function.
  Slot input(const ptx::Operand& operand, ptx::Type type);
  Slot input(std::size_t index, ptx::Type type) { return input(operand(index), type); }
  // Returns the slot of a register to write. The sink `_` gets a register that is never read.
  Slot output(const ptx::Operand& operand, ptx::Type type);
  Slot output(std::size_t index, ptx::Type type) { return output(operand(index), type); }
  // Returns the slot of a predicate to read, where *negated is set to whether it is negated, or to write.
  Slot predicate_input(const ptx::Operand& operand, bool* negated);
  Slot predicate_output(const ptx::Operand& operand);
  std::size_t register_size(const ptx::Operand& operand) const;  // bytes per lane, or 0 if it is not a register

  // Decodes [base + offset]: sets code().operands[slot_index] to the slot of the base, code().offset, code().space and
  // whether the base is a 32-bit register (kAddress32 in code().flags). `space` is the state space that the instruction
  // names.
  void address(const ptx::Operand& operand, ptx::Space space, std::size_t slot_index);

 private:
  Slot symbol(const ptx::Operand& operand, std::size_t size);
  Slot dynamic_shared(const ptx::Operand& operand, std::size_t size);
  std::string where() const;

  FunctionBuilder* builder_;
  const ptx::Instruction* instruction_;
  Code* code_;
  std::uint64_t used_ = 0;  // bit i: modifier i
};

constexpr Slot kConstantSlot = 0x80000000u;  // marks the slots of constants while a function is being built

constexpr std::uint8_t kAddress32 = 0x80;  // used in Code::flags of memory instructions

using DecodeFunction = void (*)(Decoder&);
using InstructionTable = std::map<std::string_view, DecodeFunction>;

// All opcodes that the executor supports, entered by the add_... functions of instructions/.
const InstructionTable& instruction_table();

}  // namespace vgpu
