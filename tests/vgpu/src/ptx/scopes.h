// SPDX-License-Identifier: Apache-2.0
//
// The scopes of a function body: a pair of braces may declare again what another has declared. Here every declaration
// gets a name that the function has once, and every use finds it.
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

  // The name in the function of what the current scope declares as `name`.
  std::string declare(const std::string& name);

  // Turns the names used in `scope` into those, and a symbol that is a register into one. Labels may be declared behind
  // their use, so this is for the end of the body.
  void resolve(std::size_t scope, std::string& name) const;
  void resolve(std::size_t scope, Operand& operand, const Function& function) const;

 private:
  struct Scope {
    std::size_t parent;
    std::unordered_map<std::string, std::string> names;
  };
  std::vector<Scope> scopes_{{0, {}}};  // the first is the body, which renames nothing
  std::size_t current_ = 0;
};

}  // namespace vgpu::ptx
