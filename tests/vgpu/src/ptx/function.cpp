// SPDX-License-Identifier: Apache-2.0
#include "ptx/function.h"

#include "ptx/body.h"
#include "ptx/constant.h"
#include "ptx/variables.h"

namespace vgpu::ptx {

namespace {

// Parses a performance-tuning or other directive such as ".maxntid 256, 1, 1" or ".noreturn".
void parse_directive(Lexer& lexer, Function& function) {
  const Token directive = lexer.expect(Token::Kind::kDotWord, "a directive, '{' or ';'");
  if (directive.is(".pragma")) {
    skip_pragma(lexer);
    return;
  }
  std::vector<std::uint32_t>& values = function.directives[std::string(directive.text.substr(1))];
  if (lexer.peek().kind != Token::Kind::kNumber) return;
  do {
    values.push_back(static_cast<std::uint32_t>(parse_count(lexer, "a number", 0xffffffffu)));
  } while (lexer.accept(","));
}

}  // namespace

Function parse_function(Lexer& lexer, bool is_entry) {
  Function function;
  function.is_entry = is_entry;
  if (lexer.accept(".attribute")) skip_attribute(lexer);
  if (!is_entry && lexer.peek().is("(")) function.results = parse_parameters(lexer);
  function.name = lexer.expect(Token::Kind::kWord, "the name of a function").text;
  if (lexer.peek().is("(")) function.parameters = parse_parameters(lexer);
  while (!lexer.peek().is("{") && !lexer.peek().is(";")) parse_directive(lexer, function);

  function.is_declaration = lexer.accept(";");
  if (!function.is_declaration) Body(lexer, function).parse();
  return function;
}

void skip_pragma(Lexer& lexer) {
  do {
    lexer.expect(Token::Kind::kString, "the text of a pragma");
  } while (lexer.accept(","));
  lexer.expect(";");
}

}  // namespace vgpu::ptx
