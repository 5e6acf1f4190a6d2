// SPDX-License-Identifier: Apache-2.0
//
// The scopes of a function body. Nested braces may redeclare a name, so every declaration is given a name that is
// unique in the function, and uses are renamed accordingly.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "ptx/module.h"

namespace vgpu::ptx {

class Scopes {
 public:
  void open();
  void close() { current_ = scopes_[current_].parent; }
  std::size_t current() const { return current_; }
  bool at_body() const { return current_ == 0; }

  // Declares `name` in the current scope and returns its unique name.
  std::string declare(const std::string& name);

  // Replaces the names used in `scope` by unique ones, and symbols that name registers by registers. Labels may be
  // declared after their use, so this is called at the end of the body.
  void resolve(std::size_t scope, std::string& name) const;
  void resolve(std::size_t scope, Operand& operand, const Function& function) const;

 private:
  struct Scope {
    std::size_t parent;
    std::unordered_map<std::string, std::string> names;
  };
  std::vector<Scope> scopes_{{0, {}}};  // the first is the body, in which nothing is renamed
  std::size_t current_ = 0;
};

}  // namespace vgpu::ptx
