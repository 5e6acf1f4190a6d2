// SPDX-License-Identifier: Apache-2.0
//
// and, or, xor, not, cnot and lop3 of bits, and the first four also of predicates.
#include <array>
#include <functional>

#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"

namespace vgpu {
namespace {

using ptx::Type;

// Applied to a Mask, the same operation acts on 32 predicates.
template <class F>
struct Bitwise {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(F{}(a, b));
  }
};

struct Not {
  template <class T>
  T operator()(T a) const {
    return static_cast<T>(~a);
  }
};

struct IsZero {
  template <class T>
  T operator()(T a) const {
    return a == 0 ? 1 : 0;
  }
};

enum PredicateFlag : std::uint8_t { kFirstNegated = 1, kSecondNegated = 2 };

template <class F>
void run_predicates(Warp& warp, const Code& code) {
  Mask a = warp.predicate(code.operands[1]);
  Mask b = warp.predicate(code.operands[2]);
  if ((code.flags & kFirstNegated) != 0) a = ~a;
  if ((code.flags & kSecondNegated) != 0) b = ~b;
  set_predicate(warp, code.operands[0], F{}(a, b));
}

void take_predicates(Decoder& d, std::size_t second) {
  Code& code = d.code();
  bool negated = false;
  code.operands[0] = d.predicate_output(d.operand(0));
  code.operands[1] = d.predicate_input(d.operand(1), &negated);
  if (negated) code.flags |= kFirstNegated;
  code.operands[2] = d.predicate_input(d.operand(second), &negated);
  if (negated) code.flags |= kSecondNegated;
}

template <class F>
void decode_bitwise(Decoder& d) {
  const Type type = d.take_type();
  if (type == Type::kPred) {
    if (d.operand_count() != 3) d.unknown();
    take_predicates(d, 2);
    set_handler(d, Pipe::kAlu, run_predicates<F>);
    return;
  }
  take_operands(d, type, {type, type});
  set_handler(d, Pipe::kAlu, for_bits(type, Binary<Bitwise<F>>{}));
}

// not.pred d, a is executed as !a & !a.
void decode_not(Decoder& d) {
  const Type type = d.take_type();
  if (type == Type::kPred) {
    if (d.operand_count() != 2) d.unknown();
    take_predicates(d, 1);
    d.code().flags ^= kFirstNegated | kSecondNegated;
    set_handler(d, Pipe::kAlu, run_predicates<std::bit_and<>>);
    return;
  }
  take_operands(d, type, {type});
  set_handler(d, Pipe::kAlu, for_bits(type, Unary<Not>{}));
}

void decode_cnot(Decoder& d) {
  const Type type = d.take_type();
  take_operands(d, type, {type});
  set_handler(d, Pipe::kAlu, for_bits(type, Unary<IsZero>{}));
}

// Selects the bits of `one` where `on` is set, and the bits of `zero` elsewhere.
std::uint32_t chosen(std::uint32_t on, std::uint32_t zero, std::uint32_t one) { return zero ^ (on & (zero ^ one)); }

// code.flags is the lookup table: bit 4 a + 2 b + c holds the result for the source bits a, b and c.
void run_lop3(Warp& warp, const Code& code) {
  using U = std::uint32_t;
  std::array<U, 8> rows{};
  for (unsigned row = 0; row < rows.size(); ++row) rows[row] = (code.flags >> row & 1) != 0 ? ~U{0} : 0;
  map_lanes<U, U, U, U>(warp, code, [&](U a, U b, U c) {
    const U of_0 = chosen(b, chosen(c, rows[0], rows[1]), chosen(c, rows[2], rows[3]));
    const U of_1 = chosen(b, chosen(c, rows[4], rows[5]), chosen(c, rows[6], rows[7]));
    return chosen(a, of_0, of_1);
  });
}

// Operand 4 is the destination predicate, operand 5 the predicate that the result is combined with.
template <class Combine, bool negated>
void run_lop3_predicate(Warp& warp, const Code& code) {
  run_lop3(warp, code);
  const std::uint32_t* result = warp.lanes<std::uint32_t>(code.operands[0]);
  Mask any = 0;
  for_each_lane(warp.active(), [&](unsigned lane) { any |= Mask{result[lane] != 0} << lane; });
  const Mask other = warp.predicate(code.operands[5]);
  set_predicate(warp, code.operands[4], Combine{}(any, negated ? ~other : other));
}

template <class Combine>
Handler lop3_handler(bool negated) {
  return negated ? run_lop3_predicate<Combine, true> : run_lop3_predicate<Combine, false>;
}

void decode_lop3(Decoder& d) {
  Code& code = d.code();
  const bool combines_or = d.take("or");
  const bool combines_and = d.take("and");
  const bool combines = combines_or || combines_and;
  if (!d.take("b32") || d.operand_count() != (combines ? 6u : 5u)) d.unknown();
  const ptx::Operand& destination = d.operand(0);
  if (destination.second.size() != (combines ? 1u : 0u)) d.unknown();
  code.operands[0] = d.output(destination, Type::kB32);
  for (std::size_t i = 1; i <= 3; ++i) code.operands[i] = d.input(i, Type::kB32);
  const ptx::Operand& table = d.operand(4);
  if (table.kind != ptx::Operand::Kind::kImmediate || table.bits > 0xff) d.unknown("expected a table of 8 bits");
  code.flags = static_cast<std::uint8_t>(table.bits);
  Handler handler = run_lop3;
  if (combines) {
    bool negated = false;
    code.operands[4] = d.predicate_output(destination.second[0]);
    code.operands[5] = d.predicate_input(d.operand(5), &negated);
    handler = combines_or ? lop3_handler<std::bit_or<>>(negated) : lop3_handler<std::bit_and<>>(negated);
  }
  set_handler(d, Pipe::kAlu, handler);
}

}  // namespace

void add_logic(InstructionTable& table) {
  table["and"] = decode_bitwise<std::bit_and<>>;
  table["or"] = decode_bitwise<std::bit_or<>>;
  table["xor"] = decode_bitwise<std::bit_xor<>>;
  table["not"] = decode_not;
  table["cnot"] = decode_cnot;
  table["lop3"] = decode_lop3;
}

}  // namespace vgpu
