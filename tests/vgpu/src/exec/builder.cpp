// SPDX-License-Identifier: Apache-2.0
//
// FunctionBuilder: numbers the slots of a function and lays out its frame in local memory.
#include <algorithm>
#include <cstring>

#include "exec/decode.h"

namespace vgpu {
namespace {}  // namespace

FunctionBuilder::FunctionBuilder(Program& program, const ptx::Function& source, Function& out)
    : program_(&program), source_(&source), out_(&out) {
  out.source = &source;
}

// Lays out all variables in the `.local` and `.param` spaces one after the other. The parameters of a kernel are not
// part of its frame.
void FunctionBuilder::place_frame() {
  std::size_t end = 0;
  const auto place = [&](const ptx::Variable& variable) {
    end = aligned(end, std::max<std::size_t>(variable.alignment, 1));
    frame_offsets_[variable.name] = static_cast<std::uint32_t>(end);
    const Site site{static_cast<std::uint32_t>(end), static_cast<std::uint32_t>(variable.size)};
    out_->local_variables.push_back({site, &variable});
    end += variable.size;
    return site;
  };
  if (source_->is_entry) {
    std::size_t offset = 0;
    for (const ptx::Variable& parameter : source_->parameters) {
      offset = aligned(offset, parameter.alignment);
      kernel_parameters_[parameter.name] = static_cast<std::uint32_t>(offset);
      offset += parameter.size;
    }
  } else {
    for (const ptx::Variable& parameter : source_->parameters) out_->parameters.push_back(place(parameter));
    for (const ptx::Variable& result : source_->results) out_->results.push_back(place(result));
  }
  for (const ptx::Variable& variable : source_->variables)
    if (variable.space == ptx::Space::kLocal || variable.space == ptx::Space::kParam) place(variable);
  out_->local_bytes = aligned(end, 16);
}

void FunctionBuilder::build() {
  place_frame();
  const InstructionTable& table = instruction_table();
  out_->code.resize(source_->body.size() + 1);
  for (std::size_t i = 0; i < source_->body.size(); ++i) {
    const ptx::Instruction& instruction = source_->body[i];
    Code& code = out_->code[i];
    code.source = &instruction;
    Decoder decoder(*this, instruction, code);
    const auto found = table.find(instruction.opcode);
    if (found == table.end()) decoder.unknown();
    if (!instruction.guard.empty()) {
      code.guard = register_slot(instruction.guard);
      code.guard_negated = instruction.guard_negated;
    }
    found->second(decoder);
    decoder.finish();
  }
  // A function body need not end with a return, so one is appended.
  static const ptx::Instruction end = [] {
    ptx::Instruction instruction;
    instruction.opcode = instruction.text = "ret";
    return instruction;
  }();
  Code& last = out_->code.back();
  last.source = &end;
  Decoder decoder(*this, end, last);
  table.at("ret")(decoder);

  // The slots of constants were numbered separately, from 0, because the number of registers was not known until now.
  out_->constants_begin = aligned(out_->register_bytes, 64);
  out_->register_bytes = out_->constants_begin + out_->constants.size();
  for (Code& code : out_->code) {
    for (Slot& slot : code.operands)
      if (slot != kNoSlot && (slot & kConstantSlot) != 0)
        slot = static_cast<Slot>(out_->constants_begin) + (slot & ~kConstantSlot);
  }
}

Slot FunctionBuilder::take(std::size_t size) {
  const auto slot = static_cast<Slot>(out_->register_bytes);
  out_->register_bytes += aligned(size * kLanes, 64);
  return slot;
}

ptx::Type FunctionBuilder::register_type(const std::string& name) const {
  const auto found = source_->registers.find(name);
  return found == source_->registers.end() ? ptx::Type::kNone : found->second;
}

Slot FunctionBuilder::register_slot(const std::string& name) {
  const auto found = registers_.find(name);
  if (found != registers_.end()) return found->second;
  const ptx::Type type = register_type(name);
  if (type == ptx::Type::kNone) throw ptx::Error("no register " + name + " in function " + source_->name);
  const Slot slot = take(type == ptx::Type::kPred ? sizeof(Mask) : ptx::size_of(type));
  registers_[name] = slot;
  return slot;
}

Slot FunctionBuilder::constant(std::uint64_t bits, std::size_t size) {
  if (size < 8) bits &= (std::uint64_t{1} << 8 * size) - 1;
  const auto [found, added] = constants_.try_emplace({bits, size}, Slot{0});
  if (added) {
    found->second = static_cast<Slot>(out_->constants.size()) | kConstantSlot;
    out_->constants.resize(out_->constants.size() + aligned(size * kLanes, 64));
    for (unsigned lane = 0; lane < kLanes; ++lane)
      std::memcpy(out_->constants.data() + (found->second & ~kConstantSlot) + lane * size, &bits, size);
  }
  return found->second;
}

Slot FunctionBuilder::predicate_constant(bool value) {
  const Slot slot = constant(value ? kAllLanes : 0, sizeof(Mask));
  return slot;
}

Slot FunctionBuilder::scratch(std::size_t size) { return take(size); }

Slot FunctionBuilder::carry_flag() {
  if (carry_flag_ == kNoSlot) carry_flag_ = take(sizeof(Mask));
  return carry_flag_;
}

Slot FunctionBuilder::special(Special special, std::size_t size) {
  const auto [found, added] = specials_.try_emplace({special, size}, Slot{0});
  if (added) {
    found->second = take(size);
    out_->specials.push_back({found->second, special, static_cast<std::uint8_t>(size)});
  }
  return found->second;
}

Slot FunctionBuilder::frame_address(std::uint32_t offset, std::size_t size) {
  const auto [found, added] = frame_addresses_.try_emplace({offset, size}, Slot{0});
  if (added) {
    found->second = take(size);
    out_->frame_addresses.push_back({found->second, offset, static_cast<std::uint8_t>(size)});
  }
  return found->second;
}

std::int64_t FunctionBuilder::frame_offset(const std::string& variable) const {
  const auto found = frame_offsets_.find(variable);
  return found == frame_offsets_.end() ? -1 : std::int64_t{found->second};
}

std::int64_t FunctionBuilder::kernel_parameter(const std::string& name) const {
  const auto found = kernel_parameters_.find(name);
  return found == kernel_parameters_.end() ? -1 : std::int64_t{found->second};
}

const ptx::Variable* FunctionBuilder::shared_variable(const std::string& name) const {
  for (const ptx::Variable& variable : source_->variables)
    if (variable.space == ptx::Space::kShared && variable.name == name) return &variable;
  return nullptr;
}

}  // namespace vgpu
