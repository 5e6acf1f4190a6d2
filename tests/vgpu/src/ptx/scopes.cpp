// SPDX-License-Identifier: Apache-2.0
#include "ptx/scopes.h"

namespace vgpu::ptx {

void Scopes::open() {
  scopes_.push_back({current_, {}});
  current_ = scopes_.size() - 1;
}

std::string Scopes::declare(const std::string& name) {
  if (at_body()) return name;
  std::string unique = name + "@" + std::to_string(current_);
  scopes_[current_].names.emplace(name, unique);
  return unique;
}

void Scopes::resolve(std::size_t scope, std::string& name) const {
  for (; scope != 0; scope = scopes_[scope].parent) {
    const auto found = scopes_[scope].names.find(name);
    if (found == scopes_[scope].names.end()) continue;
    name = found->second;
    return;
  }
}

void Scopes::resolve(std::size_t scope, Operand& operand, const Function& function) const {
  if (!operand.name.empty()) resolve(scope, operand.name);
  const bool is_register = operand.kind == Operand::Kind::kSymbol && function.registers.count(operand.name) != 0;
  if (is_register) operand.kind = Operand::Kind::kRegister;
  for (Operand& element : operand.elements) resolve(scope, element, function);
  for (Operand& second : operand.second) resolve(scope, second, function);
}

}  // namespace vgpu::ptx
