// SPDX-License-Identifier: Apache-2.0
#include "exec/decode.h"

#include <cstring>

#include "memory/spaces.h"

namespace vgpu {
namespace {

using ptx::Operand;
using ptx::Type;

const std::map<std::string_view, Special>& specials() {
  static const std::map<std::string_view, Special> table = {
      {"%tid.x", Special::kTidX},
      {"%tid.y", Special::kTidY},
      {"%tid.z", Special::kTidZ},
      {"%ntid.x", Special::kNtidX},
      {"%ntid.y", Special::kNtidY},
      {"%ntid.z", Special::kNtidZ},
      {"%ctaid.x", Special::kCtaidX},
      {"%ctaid.y", Special::kCtaidY},
      {"%ctaid.z", Special::kCtaidZ},
      {"%nctaid.x", Special::kNctaidX},
      {"%nctaid.y", Special::kNctaidY},
      {"%nctaid.z", Special::kNctaidZ},
      {"%laneid", Special::kLaneid},
      {"%warpid", Special::kWarpid},
      {"%nwarpid", Special::kNwarpid},
      {"%smid", Special::kSmid},
      {"%nsmid", Special::kNsmid},
      {"%gridid", Special::kGridid},
      {"%lanemask_eq", Special::kLanemaskEq},
      {"%lanemask_le", Special::kLanemaskLe},
      {"%lanemask_lt", Special::kLanemaskLt},
      {"%lanemask_ge", Special::kLanemaskGe},
      {"%lanemask_gt", Special::kLanemaskGt},
      {"%dynamic_smem_size", Special::kDynamicSharedSize},
      {"%total_smem_size", Special::kTotalSharedSize},
      // Clusters are not modelled: every cluster consists of a single block.
      {"%clusterid.x", Special::kCtaidX},
      {"%clusterid.y", Special::kCtaidY},
      {"%clusterid.z", Special::kCtaidZ},
      {"%nclusterid.x", Special::kNctaidX},
      {"%nclusterid.y", Special::kNctaidY},
      {"%nclusterid.z", Special::kNctaidZ},
      {"%cluster_ctaid.x", Special::kZero},
      {"%cluster_ctaid.y", Special::kZero},
      {"%cluster_ctaid.z", Special::kZero},
      {"%cluster_nctaid.x", Special::kOne},
      {"%cluster_nctaid.y", Special::kOne},
      {"%cluster_nctaid.z", Special::kOne},
      {"%cluster_ctarank", Special::kZero},
      {"%cluster_nctarank", Special::kOne},
      {"%is_explicit_cluster", Special::kZero},
  };
  return table;
}

// Returns the value of a decimal floating-point literal in the wanted type.
std::uint64_t float_bits(std::uint64_t bits, Type type) {
  double value = 0;
  std::memcpy(&value, &bits, sizeof value);
  if (type != Type::kF32) return bits;
  const auto narrow = static_cast<float>(value);
  std::uint32_t narrow_bits = 0;
  std::memcpy(&narrow_bits, &narrow, sizeof narrow);
  return narrow_bits;
}

}  // namespace

// ---- modifiers ------------------------------------------------------------------------------------------------------

bool Decoder::take(std::string_view word) {
  const auto& words = instruction_->modifiers;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if ((used_ >> i & 1) != 0) continue;
    if (words[i] != word) return false;
    used_ |= std::uint64_t{1} << i;
    return true;
  }
  return false;
}

bool Decoder::take_any(std::string_view word) {
  const auto& words = instruction_->modifiers;
  for (std::size_t i = 0; i < words.size(); ++i)
    if ((used_ >> i & 1) == 0 && words[i] == word) {
      used_ |= std::uint64_t{1} << i;
      return true;
    }
  return false;
}

std::string Decoder::peek() const {
  const auto& words = instruction_->modifiers;
  for (std::size_t i = 0; i < words.size(); ++i)
    if ((used_ >> i & 1) == 0) return words[i];
  return "";
}

std::string Decoder::take_word() {
  const std::string word = peek();
  if (!word.empty()) take(word);
  return word;
}

Type Decoder::take_type() {
  const auto type = ptx::type_named(peek());
  if (!type) unknown("expected a type, got \"" + peek() + "\"");
  take(peek());
  return *type;
}

void Decoder::finish() const {
  if (!peek().empty()) unknown("no meaning is known for \"." + peek() + "\"");
}

std::string Decoder::where() const { return "PTX line " + std::to_string(instruction_->place.line); }

void Decoder::unknown(const std::string& why) const {
  throw ptx::Error(where() + ": unknown instruction: " + instruction_->text + (why.empty() ? "" : " (" + why + ")"));
}

// ---- operands -------------------------------------------------------------------------------------------------------

const Operand& Decoder::operand(std::size_t index) const {
  if (index >= instruction_->operands.size()) unknown("expected more operands");
  return instruction_->operands[index];
}

std::size_t Decoder::register_size(const Operand& operand) const {
  if (operand.kind != Operand::Kind::kRegister) return 0;
  const Type type = builder_->register_type(operand.name);
  return type == Type::kNone ? 0 : ptx::size_of(type);
}

Slot Decoder::symbol(const Operand& operand, std::size_t size) {
  FunctionBuilder& builder = *builder_;
  Program& program = builder.program();
  const auto offset = static_cast<std::uint64_t>(operand.offset);
  const std::int64_t in_frame = builder.frame_offset(operand.name);
  if (in_frame >= 0) return builder.frame_address(static_cast<std::uint32_t>(in_frame + operand.offset), size);
  const std::int64_t parameter = builder.kernel_parameter(operand.name);
  if (parameter >= 0) return builder.constant(static_cast<std::uint64_t>(parameter) + offset, size);
  if (const ptx::Variable* shared = builder.shared_variable(operand.name)) {
    if (shared->is_extern || shared->size == 0) return dynamic_shared(operand, size);
    return builder.constant(program.shared_offset(builder.source(), *shared) + offset, size);
  }
  for (const ptx::Variable& variable : program.module().variables) {
    if (variable.name != operand.name) continue;
    if (variable.space == ptx::Space::kShared && (variable.is_extern || variable.size == 0))
      return dynamic_shared(operand, size);
    return builder.constant(program.address_of(operand.name) + offset, size);
  }
  if (program.module().functions.count(operand.name) == 1)
    return builder.constant(program.function_address(operand.name) + offset, size);
  unknown("no variable or function " + operand.name);
}

Slot Decoder::dynamic_shared(const Operand& operand, std::size_t size) {
  if (operand.offset != 0) unknown("an offset into dynamic shared memory outside of an address");
  return builder_->special(Special::kDynamicSharedBase, size);
}

Slot Decoder::input(const Operand& operand, Type type) {
  const std::size_t size = ptx::size_of(type);
  switch (operand.kind) {
    case Operand::Kind::kRegister: {
      const auto special = specials().find(operand.name);
      if (special != specials().end()) return builder_->special(special->second, size);
      const Type declared = builder_->register_type(operand.name);
      if (declared == Type::kNone) unknown("no register " + operand.name);
      if (ptx::size_of(declared) != size) unknown("register " + operand.name + " has another size");
      return builder_->register_slot(operand.name);
    }
    case Operand::Kind::kImmediate:
      return builder_->constant(operand.bits, size);
    case Operand::Kind::kFloat:
      return builder_->constant(float_bits(operand.bits, type), size);
    case Operand::Kind::kSymbol:
      return symbol(operand, size);
    default:
      unknown("expected a value");
  }
}

Slot Decoder::output(const Operand& operand, Type type) {
  const std::size_t size = ptx::size_of(type);
  if (operand.kind == Operand::Kind::kSink) return builder_->scratch(size);
  if (operand.kind != Operand::Kind::kRegister) unknown("expected a register to write");
  const Type declared = builder_->register_type(operand.name);
  if (declared == Type::kNone) unknown("no register " + operand.name);
  if (ptx::size_of(declared) != size) unknown("register " + operand.name + " has another size");
  return builder_->register_slot(operand.name);
}

Slot Decoder::predicate_input(const Operand& operand, bool* negated) {
  if (operand.kind == Operand::Kind::kImmediate) {
    *negated = false;
    return builder_->predicate_constant(operand.bits != 0);
  }
  if (operand.kind != Operand::Kind::kRegister || builder_->register_type(operand.name) != Type::kPred)
    unknown("expected a predicate");
  *negated = operand.negated;
  return builder_->register_slot(operand.name);
}

Slot Decoder::predicate_output(const Operand& operand) {
  if (operand.kind == Operand::Kind::kSink) return builder_->scratch(sizeof(Mask));
  if (operand.kind != Operand::Kind::kRegister || builder_->register_type(operand.name) != Type::kPred)
    unknown("expected a predicate to write");
  return builder_->register_slot(operand.name);
}

void Decoder::address(const Operand& operand, ptx::Space space, std::size_t slot_index) {
  Code& out = code();
  out.offset = operand.offset;
  out.space = space;
  if (operand.kind != Operand::Kind::kAddress) unknown("expected an address");
  Slot& slot = out.operands[slot_index];
  if (operand.name.empty()) {
    slot = builder_->constant(0, 8);
    return;
  }
  const Type declared = builder_->register_type(operand.name);
  // The parameters of device functions and of calls are in local memory.
  const bool in_frame = builder_->frame_offset(operand.name) >= 0;
  if (space == ptx::Space::kParam && (in_frame || !builder_->source().is_entry)) out.space = ptx::Space::kLocal;
  if (declared != Type::kNone) {
    slot = builder_->register_slot(operand.name);
    if (ptx::size_of(declared) == 4) out.flags |= kAddress32;
    return;
  }
  Operand base = operand;
  base.kind = Operand::Kind::kSymbol;
  base.offset = 0;
  slot = symbol(base, 8);
}

}  // namespace vgpu
