// SPDX-License-Identifier: Apache-2.0
#include "ptx/module.h"

#include <algorithm>
#include <unordered_map>

#include "ptx/constant.h"
#include "ptx/function.h"
#include "ptx/lexer.h"
#include "ptx/variables.h"

namespace vgpu::ptx {

namespace {

class ModuleParser {
 public:
  explicit ModuleParser(std::string_view text) : lexer_(text) {}

  Module parse() {
    lexer_.expect(".version");
    module_.version = lexer_.expect(Token::Kind::kNumber, "a version").text;
    while (lexer_.peek().kind != Token::Kind::kEnd) {
      if (!parse_directive()) parse_declaration();
    }
    for (const auto& [alias, function] : aliases_) add_alias(alias, function);
    return std::move(module_);
  }

 private:
  bool parse_directive() {
    if (lexer_.accept(".target")) {
      parse_target();
    } else if (lexer_.accept(".address_size")) {
      const Token size = lexer_.expect(Token::Kind::kNumber, "a size");
      if (!size.is("64")) fail(size.line, "expected addresses of 64 bits, got '" + std::string(size.text) + "'");
    } else if (lexer_.accept(".file")) {
      parse_file();
    } else if (lexer_.accept(".section")) {  // debug information, which is ignored
      lexer_.expect(Token::Kind::kDotWord, "the name of a section");
      lexer_.skip_braces();
    } else if (lexer_.accept(".pragma")) {
      skip_pragma(lexer_);
    } else if (lexer_.accept(".alias")) {
      const Token alias = lexer_.expect(Token::Kind::kWord, "a name");
      lexer_.expect(",");
      aliases_.emplace_back(alias, lexer_.expect(Token::Kind::kWord, "the name of a function"));
      lexer_.expect(";");
    } else {
      return false;
    }
    return true;
  }

  // Parses a directive such as ".target sm_90a, debug".
  void parse_target() {
    const Token name = lexer_.expect(Token::Kind::kWord, "an architecture");
    if (name.text.substr(0, 3) != "sm_") fail(name.line, "expected sm_..., got '" + std::string(name.text) + "'");
    for (char c : name.text.substr(3)) {
      if (c >= '0' && c <= '9') module_.target = module_.target * 10 + static_cast<std::uint32_t>(c - '0');
    }
    while (lexer_.accept(",")) lexer_.expect(Token::Kind::kWord, "an option");
  }

  // Parses ".file 1 "name.cu"", optionally followed by a timestamp and a file size.
  void parse_file() {
    const auto number = static_cast<std::uint32_t>(parse_count(lexer_, "the number of a file", 0xffffffffu));
    const std::string_view quoted = lexer_.expect(Token::Kind::kString, "the name of a file").text;
    module_.files[number] = quoted.substr(1, quoted.size() - 2);
    while (lexer_.accept(",")) lexer_.expect(Token::Kind::kNumber, "a number");
  }

  void parse_declaration() {
    bool is_extern = false;
    for (;;) {
      if (lexer_.accept(".extern")) {
        is_extern = true;
      } else if (!lexer_.accept(".visible") && !lexer_.accept(".weak") && !lexer_.accept(".common")) {
        break;
      }
    }
    const Token word = lexer_.expect(Token::Kind::kDotWord, "a variable or a function");
    if (word.is(".entry") || word.is(".func")) {
      add_function(parse_function(lexer_, word.is(".entry")), word.line);
      return;
    }
    const std::optional<Space> space = space_named(word.text.substr(1));
    if (!space) fail(word.line, "expected a variable or a function, got '" + std::string(word.text) + "'");
    for (Variable& variable : parse_variables(lexer_, *space)) {
      variable.is_extern = is_extern;
      add_variable(std::move(variable), word.line);
    }
  }

  // A definition replaces declarations of the same name.
  void add_variable(Variable variable, std::uint32_t line) {
    const auto [at, is_new] = variables_.try_emplace(variable.name, module_.variables.size());
    if (is_new) {
      module_.variables.push_back(std::move(variable));
      return;
    }
    if (variable.is_extern) return;
    Variable& declared = module_.variables[at->second];
    if (!declared.is_extern) fail(line, "expected one definition of '" + variable.name + "', got a second");
    declared = std::move(variable);
  }

  // A function may be declared any number of times, before and after its definition.
  void add_function(Function function, std::uint32_t line) {
    const auto [at, is_new] = module_.functions.try_emplace(function.name);
    if (!is_new && function.is_declaration) return;
    if (!is_new && !at->second.is_declaration) {
      fail(line, "expected one body of '" + function.name + "', got a second");
    }
    at->second = std::move(function);
  }

  void add_alias(const Token& alias, const Token& name) {
    const auto function = module_.functions.find(std::string(name.text));
    if (function == module_.functions.end()) {
      fail(name.line, "expected a function of this module, got '" + std::string(name.text) + "'");
    }
    Function copy = function->second;
    copy.name = alias.text;
    module_.functions[copy.name] = std::move(copy);
  }

  Lexer lexer_;
  Module module_;
  std::unordered_map<std::string, std::size_t> variables_;  // by name: the index in module_.variables
  std::vector<std::pair<Token, Token>> aliases_;            // new name, name
};

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

bool Instruction::has(std::string_view modifier) const {
  return std::find(modifiers.begin(), modifiers.end(), modifier) != modifiers.end();
}

Module parse(const std::string& text) {
  // The PTX texts in a fat binary are padded with zeros.
  const std::string_view written = std::string_view(text).substr(0, text.find_last_not_of('\0') + 1);
  Module module = ModuleParser(written).parse();
  module.lines = lines_of(written);
  return module;
}

}  // namespace vgpu::ptx
