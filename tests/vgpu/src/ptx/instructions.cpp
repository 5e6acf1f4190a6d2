// SPDX-License-Identifier: Apache-2.0
#include "ptx/instructions.h"

#include "ptx/constant.h"

namespace vgpu::ptx {

namespace {

Operand parse_operand(Lexer& lexer);

std::vector<Operand> parse_list(Lexer& lexer, std::string_view close) {
  std::vector<Operand> list;
  if (lexer.accept(close)) return list;
  do {
    list.push_back(parse_operand(lexer));
  } while (lexer.accept(","));
  lexer.expect(close);
  return list;
}

Operand vector_of(std::vector<Operand> elements) {
  Operand operand;
  operand.kind = Operand::Kind::kVector;
  operand.elements = std::move(elements);
  return operand;
}

Operand parse_immediate(Lexer& lexer) {
  const Constant constant = parse_constant(lexer);
  Operand operand;
  operand.kind = constant.kind == Constant::Kind::kDecimal ? Operand::Kind::kFloat : Operand::Kind::kImmediate;
  operand.bits = constant.bits;
  return operand;
}

std::int64_t parse_offset(Lexer& lexer) { return lexer.accept("+") ? parse_integer(lexer) : 0; }

Operand parse_named(Lexer& lexer) {
  Operand operand;
  const std::string_view name = lexer.expect_dotted_name("a name");
  if (name == "_") return operand;
  operand.name = name;
  operand.kind = name[0] == '%' ? Operand::Kind::kRegister : Operand::Kind::kSymbol;
  if (operand.kind == Operand::Kind::kSymbol) operand.offset = parse_offset(lexer);
  return operand;
}

// Parses an address operand from after the "[".
Operand parse_address(Lexer& lexer) {
  Operand operand;
  operand.kind = Operand::Kind::kAddress;
  if (lexer.peek().kind == Token::Kind::kWord) {
    operand.name = lexer.expect_dotted_name("a name");
    operand.offset = parse_offset(lexer);
  } else {
    operand.offset = parse_integer(lexer);
  }
  if (lexer.accept(",")) {
    operand.elements = parse_list(lexer, "]");
  } else {
    lexer.expect("]");
  }
  return operand;
}

// Parses a negated predicate from after the "!".
Operand parse_negated(Lexer& lexer) {
  const bool is_number = lexer.peek().kind == Token::Kind::kNumber;
  Operand operand = is_number ? parse_immediate(lexer) : parse_named(lexer);
  operand.negated = !is_number;
  if (is_number) operand.bits = operand.bits == 0;
  return operand;
}

Operand parse_operand(Lexer& lexer) {
  if (lexer.accept("[")) return parse_address(lexer);
  if (lexer.accept("!")) return parse_negated(lexer);
  const bool is_vector = lexer.accept("{");
  const Token& next = lexer.peek();
  const bool is_named = next.kind == Token::Kind::kWord && !next.is("WARP_SZ");
  if (!is_vector && !is_named) return parse_immediate(lexer);

  Operand operand = is_vector ? vector_of(parse_list(lexer, "}")) : parse_named(lexer);
  if (lexer.accept("|")) operand.second.push_back(parse_named(lexer));
  return operand;
}

// Parses the operands of a call, such as "(retval0), name, (param0, param1), prototype_0". All but the name are
// optional.
std::vector<Operand> parse_call(Lexer& lexer) {
  std::vector<Operand> operands(3, vector_of({}));
  if (lexer.accept("(")) {
    operands[0].elements = parse_list(lexer, ")");
    lexer.expect(",");
  }
  operands[1] = parse_named(lexer);
  if (!lexer.accept(",")) return operands;
  if (lexer.accept("(")) {
    operands[2].elements = parse_list(lexer, ")");
    if (!lexer.accept(",")) return operands;
  }
  operands.push_back(parse_named(lexer));
  return operands;
}

}  // namespace

void parse_instruction(Lexer& lexer, const Token& opcode, Instruction& instruction) {
  instruction.opcode = opcode.text;
  while (lexer.peek().kind == Token::Kind::kDotWord) instruction.modifiers.emplace_back(lexer.take().text.substr(1));
  if (instruction.opcode == "call") {
    instruction.operands = parse_call(lexer);
  } else if (!lexer.peek().is(";")) {
    do {
      instruction.operands.push_back(parse_operand(lexer));
    } while (lexer.accept(","));
  }
}

}  // namespace vgpu::ptx
