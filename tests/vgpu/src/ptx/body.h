// SPDX-License-Identifier: Apache-2.0
//
// The body of a function.
#pragma once

#include <vector>

#include "ptx/lexer.h"
#include "ptx/module.h"
#include "ptx/scopes.h"

namespace vgpu::ptx {

class Body {
 public:
  Body(Lexer& lexer, Function& function) : lexer_(lexer), function_(function) {}

  // Parses from the "{" to the matching "}".
  void parse();

 private:
  // A list in function_.branch_targets whose names have to be resolved.
  struct TargetList {
    std::string label;
    std::size_t scope;
  };

  bool parse_directive();
  void parse_registers();
  void declare_register(const std::string& name, Type type, std::uint32_t line);
  void parse_scoped_variables(Space space);
  void parse_location();
  void parse_statement();
  void parse_label(const Token& name);
  void parse_targets(const std::string& label);
  void parse_guard(Instruction& instruction);
  void resolve_names();

  Lexer& lexer_;
  Function& function_;
  Scopes scopes_;
  std::vector<std::size_t> scope_of_;  // by instruction of the body
  std::vector<TargetList> target_lists_;
  Place place_;  // file and line of the last .loc
};

}  // namespace vgpu::ptx
