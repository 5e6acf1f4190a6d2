// SPDX-License-Identifier: Apache-2.0
#include "exec/undefined.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "exec/block.h"

namespace vgpu {
namespace {

using ptx::Instruction;
using ptx::Operand;

bool names(const Operand& operand, std::string_view name) {
  const auto same = [&](const Operand& part) { return names(part, name); };
  return operand.name == name || std::any_of(operand.elements.begin(), operand.elements.end(), same) ||
         std::any_of(operand.second.begin(), operand.second.end(), same);
}

// Returns whether the first operand is the result. Instructions that have no result but may begin with a register are
// listed by name. The carry flag of add.cc is not an operand and is not tracked.
bool has_result(const Instruction& instruction) {
  if (instruction.operands.empty() || instruction.operands[0].kind == Operand::Kind::kAddress) return false;
  const std::string& opcode = instruction.opcode;
  if (opcode == "bar" || opcode == "barrier") return instruction.has("red");
  return opcode != "brx" && opcode != "nanosleep";
}

bool writes(const Instruction& instruction, std::string_view name) {
  return has_result(instruction) && names(instruction.operands[0], name);
}

bool reads(const Instruction& instruction, std::string_view name) {
  const auto& operands = instruction.operands;
  return std::any_of(operands.begin() + (has_result(instruction) ? 1 : 0), operands.end(),
                     [&](const Operand& operand) { return names(operand, name); });
}

// Returns whether an instruction only computes a lane's result from operands of the same lane.
bool computes(const Code& code) {
  const std::string& opcode = code.source->opcode;
  if (opcode == "vote" || opcode == "match" || opcode == "redux" || opcode == "elect") return false;
  return code.pipe == Pipe::kFma || code.pipe == Pipe::kAlu || code.pipe == Pipe::kSpecial || code.pipe == Pipe::kFp64;
}

template <class F>
void for_each_register(const Operand& operand, F f) {
  if (operand.kind == Operand::Kind::kRegister) f(std::string_view(operand.name));
  for (const Operand& element : operand.elements) for_each_register(element, f);
  for (const Operand& second : operand.second) for_each_register(second, f);
}

}  // namespace

void UndefinedValues::add(Warp& warp, const Operand& into, unsigned lane, std::shared_ptr<const Finding> finding) {
  if (into.kind == Operand::Kind::kRegister)
    values_.push_back({warp.split().frame, into.name, Mask{1} << lane, std::move(finding)});
}

void UndefinedValues::forget(const Frame& frame) {
  const auto of_frame = [&](const Value& value) { return value.frame == &frame; };
  values_.erase(std::remove_if(values_.begin(), values_.end(), of_frame), values_.end());
}

Mask UndefinedValues::lanes_of(const Frame* frame, std::string_view name) const {
  Mask lanes = 0;
  for (const Value& value : values_)
    if (value.frame == frame && value.name == name) lanes |= value.lanes;
  return lanes;
}

// An operand that is not selected has no influence on the result. Nor does one operand of `and` if the other is false,
// or of `or` if the other is true.
Mask UndefinedValues::lanes_of_result(Warp& warp) const {
  const Code& code = warp.code();
  const Instruction& instruction = *code.source;
  const Frame* frame = warp.split().frame;
  const auto undefined = [&](std::size_t i) { return lanes_of(frame, instruction.operands[i].name); };
  const auto truth = [&](std::size_t i) {
    const Mask value = warp.predicate(code.operands[i]);
    return instruction.operands[i].negated ? ~value : value;
  };
  if (instruction.opcode == "selp") return undefined(3) | (truth(3) & undefined(1)) | (~truth(3) & undefined(2));
  const bool conjunction = instruction.opcode == "and";
  if ((conjunction || instruction.opcode == "or") && instruction.has("pred")) {
    const auto decides = [&](std::size_t i) { return ~undefined(i) & (conjunction ? ~truth(i) : truth(i)); };
    return (undefined(1) | undefined(2)) & ~decides(1) & ~decides(2);
  }
  return kAllLanes;
}

void UndefinedValues::step(Warp& warp, Mask standing) {
  const Code& code = warp.code();
  const Instruction& instruction = *code.source;
  const Frame* frame = warp.split().frame;
  const Mask active = warp.active();
  const bool only_computes = computes(code);
  const Mask of_result = only_computes ? active & lanes_of_result(warp) : 0;
  std::vector<Value> results;
  for (const Value& value : values_) {
    if (value.frame != frame) continue;
    const bool guards = instruction.guard == value.name && (value.lanes & standing) != 0;
    if (!guards && !reads(instruction, value.name)) continue;
    if (guards || (!only_computes && (value.lanes & active) != 0)) {
      Finding finding = *value.finding;
      finding.what += fmt::format("; PTX line {} depends on the value: {}", instruction.place.line, instruction.text);
      throw Fault{finding};
    }
    if (only_computes) results.push_back({frame, {}, value.lanes & of_result, value.finding});
  }
  for (Value& value : values_)
    if (value.frame == frame && writes(instruction, value.name)) value.lanes &= ~active;
  if (has_result(instruction))
    for_each_register(instruction.operands[0], [&](std::string_view name) {
      for (const Value& result : results) {
        const Mask lanes = result.lanes & ~lanes_of(frame, name);
        if (lanes != 0) values_.push_back({frame, name, lanes, result.finding});
      }
    });
  values_.erase(std::remove_if(values_.begin(), values_.end(), [](const Value& value) { return value.lanes == 0; }),
                values_.end());
}

}  // namespace vgpu
