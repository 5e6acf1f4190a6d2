// SPDX-License-Identifier: Apache-2.0
#include "ptx/variables.h"

#include "ptx/constant.h"

namespace vgpu::ptx {

namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 32;

std::size_t parse_alignment(Lexer& lexer) {
  const std::uint32_t line = lexer.peek().line;
  const std::uint64_t alignment = parse_count(lexer, "an alignment", kMostBytes);
  const bool is_power_of_two = alignment != 0 && (alignment & (alignment - 1)) == 0;
  if (!is_power_of_two) fail(line, "expected an alignment that is a power of two, got " + std::to_string(alignment));
  return alignment;
}

// ".ptr .global .align 16" describes the memory that a pointer refers to, not the parameter itself.
void skip_pointer_attribute(Lexer& lexer) {
  if (!lexer.accept(".ptr")) return;
  if (lexer.peek().kind == Token::Kind::kDotWord && space_named(lexer.peek().text.substr(1))) lexer.take();
  if (lexer.accept(".align")) parse_alignment(lexer);
}

std::size_t parse_vector_width(Lexer& lexer) {
  if (lexer.accept(".v2")) return 2;
  if (lexer.accept(".v4")) return 4;
  if (lexer.accept(".v8")) return 8;
  return 1;
}

// Parses array dimensions such as "[2][3]". "[]" is represented as 0 and only allowed for the first dimension.
std::vector<std::size_t> parse_dimensions(Lexer& lexer) {
  std::vector<std::size_t> dimensions;
  while (lexer.accept("[")) {
    const bool is_open = dimensions.empty() && lexer.peek().is("]");
    dimensions.push_back(is_open ? 0 : parse_count(lexer, "a number of elements", kMostBytes));
    lexer.expect("]");
  }
  return dimensions;
}

// The properties in a declaration that apply to all names following them.
struct Declaration {
  Variable variable;  // its name is empty
  std::size_t width = 1;
};

Declaration parse_declaration(Lexer& lexer, Space space) {
  Declaration declaration;
  Variable& variable = declaration.variable;
  variable.space = space;
  variable.alignment = 0;
  for (;;) {
    if (lexer.accept(".align")) {
      variable.alignment = parse_alignment(lexer);
    } else if (lexer.accept(".attribute")) {
      variable.is_managed = skip_attribute(lexer);
    } else {
      break;
    }
  }
  declaration.width = parse_vector_width(lexer);
  variable.type = parse_type(lexer, "a type");
  if (variable.alignment == 0) variable.alignment = size_of(variable.type) * declaration.width;
  skip_pointer_attribute(lexer);
  return declaration;
}

Variable parse_declarator(Lexer& lexer, const Declaration& declaration) {
  Variable variable = declaration.variable;
  const Token name = lexer.expect(Token::Kind::kWord, "the name of a variable");
  variable.name = name.text;
  std::vector<std::size_t> dimensions = parse_dimensions(lexer);
  if (declaration.width > 1) dimensions.push_back(declaration.width);
  variable.size = size_of(variable.type);
  for (std::size_t dimension : dimensions) {
    variable.size *= dimension;
    if (variable.size > kMostBytes) {
      fail(name.line, "expected a variable that fits in memory, got '" + variable.name + "'");
    }
  }
  if (lexer.accept("=")) parse_initial_value(lexer, dimensions, variable);
  return variable;
}

}  // namespace

Type parse_type(Lexer& lexer, const char* what) {
  const Token& token = lexer.peek();
  const std::optional<Type> type =
      token.kind == Token::Kind::kDotWord ? type_named(token.text.substr(1)) : std::nullopt;
  if (!type) lexer.fail_expecting(what);
  lexer.take();
  return *type;
}

std::vector<Variable> parse_variables(Lexer& lexer, Space space) {
  std::vector<Variable> variables;
  const Declaration declaration = parse_declaration(lexer, space);
  do {
    variables.push_back(parse_declarator(lexer, declaration));
  } while (lexer.accept(","));
  lexer.expect(";");
  return variables;
}

bool skip_attribute(Lexer& lexer) {
  bool is_managed = false;
  lexer.expect("(");
  for (unsigned depth = 1; depth != 0; lexer.take()) {
    if (lexer.peek().kind == Token::Kind::kEnd) lexer.fail_expecting("')'");
    if (lexer.peek().is(".managed")) is_managed = true;
    if (lexer.peek().is("(")) ++depth;
    if (lexer.peek().is(")")) --depth;
  }
  return is_managed;
}

std::vector<Variable> parse_parameters(Lexer& lexer) {
  std::vector<Variable> parameters;
  lexer.expect("(");
  if (lexer.accept(")")) return parameters;
  do {
    lexer.expect(".param");
    parameters.push_back(parse_declarator(lexer, parse_declaration(lexer, Space::kParam)));
  } while (lexer.accept(","));
  lexer.expect(")");
  return parameters;
}

}  // namespace vgpu::ptx
