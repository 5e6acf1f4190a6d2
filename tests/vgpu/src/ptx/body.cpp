// SPDX-License-Identifier: Apache-2.0
#include "ptx/body.h"

#include "ptx/constant.h"
#include "ptx/function.h"
#include "ptx/instructions.h"
#include "ptx/variables.h"

namespace vgpu::ptx {

namespace {

constexpr std::uint64_t kMostRegisters = 1 << 20;
constexpr std::uint64_t kMostLines = 0xffffffffu;

}  // namespace

void Body::parse() {
  lexer_.expect("{");
  for (;;) {
    if (lexer_.accept("}")) {
      if (scopes_.at_body()) break;
      scopes_.close();
    } else if (lexer_.accept("{")) {
      scopes_.open();
    } else if (lexer_.peek().kind != Token::Kind::kDotWord) {
      parse_statement();
    } else if (!parse_directive()) {
      lexer_.fail_expecting("a directive or an instruction");
    }
  }
  resolve_names();
}

bool Body::parse_directive() {
  const std::optional<Space> space = space_named(lexer_.peek().text.substr(1));
  if (space) {
    lexer_.take();
    parse_scoped_variables(*space);
    return true;
  }
  if (lexer_.accept(".loc")) {
    parse_location();
  } else if (lexer_.accept(".reg")) {
    parse_registers();
  } else if (lexer_.accept(".pragma")) {
    skip_pragma(lexer_);
  } else {
    return false;
  }
  return true;
}

// Parses a declaration such as ".reg .b32 %r<17>, a;".
void Body::parse_registers() {
  const Type type = parse_type(lexer_, "the type of a register");
  do {
    const Token name = lexer_.expect(Token::Kind::kWord, "the name of a register");
    if (!lexer_.accept("<")) {
      declare_register(std::string(name.text), type, name.line);
      continue;
    }
    const std::uint64_t count = parse_count(lexer_, "a number of registers", kMostRegisters);
    lexer_.expect(">");
    for (std::uint64_t i = 0; i < count; ++i) {
      declare_register(std::string(name.text) + std::to_string(i), type, name.line);
    }
  } while (lexer_.accept(","));
  lexer_.expect(";");
}

void Body::declare_register(const std::string& name, Type type, std::uint32_t line) {
  const bool is_new = function_.registers.emplace(scopes_.declare(name), type).second;
  if (!is_new) fail(line, "expected a register that is not declared yet, got '" + name + "'");
}

void Body::parse_scoped_variables(Space space) {
  for (Variable& variable : parse_variables(lexer_, space)) {
    variable.name = scopes_.declare(variable.name);
    function_.variables.push_back(std::move(variable));
  }
}

// Parses a directive such as ".loc 1 35 9, function_name $L__info_string0+12, inlined_at 1 20 3", which has no
// semicolon.
void Body::parse_location() {
  place_.file = static_cast<std::uint32_t>(parse_count(lexer_, "the number of a file", kMostLines));
  place_.file_line = static_cast<std::uint32_t>(parse_count(lexer_, "the number of a line", kMostLines));
  parse_count(lexer_, "a column", kMostLines);
  while (lexer_.accept(",")) {
    if (lexer_.accept("function_name")) {
      lexer_.expect(Token::Kind::kWord, "a label");
      if (lexer_.accept("+")) parse_count(lexer_, "an offset", kMostLines);
    } else {
      lexer_.expect("inlined_at");
      for (int i = 0; i < 3; ++i) parse_count(lexer_, "a place", kMostLines);
    }
  }
}

void Body::parse_statement() {
  const Token first = lexer_.peek();
  Instruction instruction;
  if (lexer_.accept("@")) parse_guard(instruction);
  const Token opcode = lexer_.expect(Token::Kind::kWord, "an instruction");
  if (instruction.guard.empty() && lexer_.accept(":")) {
    parse_label(opcode);
    return;
  }
  parse_instruction(lexer_, opcode, instruction);
  const Token semicolon = lexer_.peek();
  lexer_.expect(";");
  instruction.place = place_;
  instruction.place.line = first.line;
  instruction.text = Lexer::squeeze(first.text.data(), semicolon.text.data());
  function_.body.push_back(std::move(instruction));
  scope_of_.push_back(scopes_.current());
}

void Body::parse_guard(Instruction& instruction) {
  instruction.guard_negated = lexer_.accept("!");
  instruction.guard = lexer_.expect(Token::Kind::kWord, "a predicate").text;
}

void Body::parse_label(const Token& name) {
  const std::string label = scopes_.declare(std::string(name.text));
  if (lexer_.peek().is(".branchtargets") || lexer_.peek().is(".calltargets")) {
    lexer_.take();
    parse_targets(label);
    return;
  }
  if (lexer_.accept(".callprototype")) {
    const char* begin = lexer_.peek().text.data();
    while (!lexer_.peek().is(";") && lexer_.peek().kind != Token::Kind::kEnd) lexer_.take();
    function_.prototypes[label] = Lexer::squeeze(begin, lexer_.peek().text.data());
    lexer_.expect(";");
    return;
  }
  const bool is_new = function_.labels.emplace(label, function_.body.size()).second;
  if (!is_new) fail(name.line, "expected a label that is not declared yet, got '" + std::string(name.text) + "'");
}

void Body::parse_targets(const std::string& label) {
  std::vector<std::string>& targets = function_.branch_targets[label];
  do {
    targets.emplace_back(lexer_.expect(Token::Kind::kWord, "a label").text);
  } while (lexer_.accept(","));
  lexer_.expect(";");
  target_lists_.push_back({label, scopes_.current()});
}

void Body::resolve_names() {
  for (std::size_t i = 0; i < function_.body.size(); ++i) {
    Instruction& instruction = function_.body[i];
    scopes_.resolve(scope_of_[i], instruction.guard);
    for (Operand& operand : instruction.operands) scopes_.resolve(scope_of_[i], operand, function_);
  }
  for (const TargetList& list : target_lists_) {
    for (std::string& target : function_.branch_targets[list.label]) scopes_.resolve(list.scope, target);
  }
}

}  // namespace vgpu::ptx
