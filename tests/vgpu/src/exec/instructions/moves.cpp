// SPDX-License-Identifier: Apache-2.0
//
// mov, and the instructions that convert or test the state space of an address: cvta, isspacep.
#include "exec/block.h"
#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"
#include "memory/heap.h"
#include "memory/spaces.h"

namespace vgpu {
namespace {

using ptx::Operand;
using ptx::Space;
using ptx::Type;

struct Wide {
  std::uint64_t low, high;
};

Type bits_of_size(Decoder& d, std::size_t size) {
  switch (size) {
    case 1:
      return Type::kB8;
    case 2:
      return Type::kB16;
    case 4:
      return Type::kB32;
    case 8:
      return Type::kB64;
    case 16:
      return Type::kB128;
    default:
      d.unknown("no registers of " + std::to_string(size) + " bytes");
  }
}

// ---- mov ------------------------------------------------------------------------------------------------------------

struct Same {
  template <class T>
  T operator()(T a) const {
    return a;
  }
};

Handler copy_handler(std::size_t size) {
  return size == sizeof(Wide) ? map_handler<Same, Wide, Wide> : for_size(size, Unary<Same>{});
}

void run_mov_predicate(Warp& warp, const Code& code) {
  const Mask value = warp.predicate(code.operands[1]);
  set_predicate(warp, code.operands[0], code.flags != 0 ? ~value : value);
}

void decode_mov_predicate(Decoder& d) {
  bool negated = false;
  d.code().operands[0] = d.predicate_output(d.operand(0));
  d.code().operands[1] = d.predicate_input(d.operand(1), &negated);
  d.code().flags = negated ? 1 : 0;
  d.code().run = run_mov_predicate;
}

// Packs or unpacks a register. Operand 0 is the whole; the parts follow in ascending order of their bits.
template <class Part, bool packs>
void run_parts(Warp& warp, const Code& code) {
  const std::size_t count = code.elements;
  Part* whole = warp.lanes<Part>(code.operands[0]);
  for (std::size_t i = 0; i < count; ++i) {
    Part* part = warp.lanes<Part>(code.operands[i + 1]);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      if ((warp.active() >> lane & 1) == 0) continue;
      if constexpr (packs) {
        whole[lane * count + i] = part[lane];
      } else {
        part[lane] = whole[lane * count + i];
      }
    }
  }
}

template <bool packs>
Handler parts_handler(std::size_t size) {
  switch (size) {
    case 1:
      return run_parts<std::uint8_t, packs>;
    case 2:
      return run_parts<std::uint16_t, packs>;
    case 4:
      return run_parts<std::uint32_t, packs>;
    case 8:
      return run_parts<std::uint64_t, packs>;
    default:
      return nullptr;
  }
}

void decode_mov_parts(Decoder& d, Type whole, bool packs) {
  Code& code = d.code();
  const std::vector<Operand>& parts = d.operand(packs ? 1 : 0).elements;
  if (parts.empty() || parts.size() > 8) d.unknown("expected up to 8 parts");
  const std::size_t size = ptx::size_of(whole) / parts.size();
  if (size * parts.size() != ptx::size_of(whole)) d.unknown("parts of a size that registers do not have");
  const Type part = bits_of_size(d, size);
  code.elements = static_cast<std::uint8_t>(parts.size());
  code.operands[0] = packs ? d.output(0, whole) : d.input(1, whole);
  for (std::size_t i = 0; i < parts.size(); ++i)
    code.operands[i + 1] = packs ? d.input(parts[i], part) : d.output(parts[i], part);
  code.run = packs ? parts_handler<true>(size) : parts_handler<false>(size);
}

void decode_mov(Decoder& d) {
  const Type type = d.take_type();
  if (d.operand_count() != 2) d.unknown();
  if (d.operand(0).kind == Operand::Kind::kVector || d.operand(1).kind == Operand::Kind::kVector) {
    decode_mov_parts(d, type, d.operand(1).kind == Operand::Kind::kVector);
  } else if (type == Type::kPred) {
    decode_mov_predicate(d);
  } else if (!decode_special_register(d, type)) {
    take_operands(d, type, {type});
    d.code().run = copy_handler(ptx::size_of(type));
  }
  set_handler(d, Pipe::kAlu, d.code().run);
}

// ---- addresses ------------------------------------------------------------------------------------------------------

// Every cluster consists of one block, so shared::cluster is the same as shared::cta. The parameters are always those
// of the kernel, even in device functions.
Space take_space(Decoder& d) {
  if (d.take("shared::cluster")) return Space::kShared;
  const auto space = ptx::space_named(d.take_word());
  if (!space) d.unknown();
  return *space;
}

struct AddBase {
  std::uint64_t operator()(std::uint64_t address, std::uint64_t base) const { return address + base; }
};

void decode_cvta(Decoder& d) {
  const bool from_generic = d.take("to");
  const std::uint64_t window = window_of(take_space(d));
  if (!d.take("u64")) d.unknown();
  take_operands(d, Type::kU64, {Type::kU64});
  d.code().operands[2] = d.builder().constant(from_generic ? 0 - window : window, 8);
  set_handler(d, Pipe::kAlu, map_handler<AddBase, std::uint64_t, std::uint64_t, std::uint64_t>);
}

bool is_constant(Warp& warp, std::uint64_t address) {
  const Allocation* allocation = warp.block().launch().heap->holding(address, 1);
  return allocation != nullptr && allocation->kind == Allocation::Kind::kConstant;
}

void run_isspacep(Warp& warp, const Code& code) {
  const std::uint64_t* address = warp.lanes<std::uint64_t>(code.operands[1]);
  Mask inside = 0;
  for_each_lane(warp.active(), [&](unsigned lane) {
    Space space = space_of(address[lane]);
    if (space == Space::kGlobal && is_constant(warp, address[lane])) space = Space::kConst;
    inside |= Mask{space == code.space} << lane;
  });
  set_predicate(warp, code.operands[0], inside);
}

void decode_isspacep(Decoder& d) {
  if (d.operand_count() != 2) d.unknown();
  d.code().space = take_space(d);
  d.code().operands[0] = d.predicate_output(d.operand(0));
  d.code().operands[1] = d.input(1, Type::kU64);
  set_handler(d, Pipe::kAlu, run_isspacep);
}

}  // namespace

void add_moves(InstructionTable& table) {
  table["mov"] = decode_mov;
  table["cvta"] = decode_cvta;
  table["isspacep"] = decode_isspacep;
}

}  // namespace vgpu
