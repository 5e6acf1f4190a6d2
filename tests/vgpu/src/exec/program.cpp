// SPDX-License-Identifier: Apache-2.0
#include "exec/program.h"

#include <algorithm>
#include <cstring>

#include "exec/decode.h"
#include "memory/shadow.h"

namespace vgpu {
namespace {

// Functions are given addresses at which no memory is ever allocated.
constexpr std::uint64_t kFirstFunction = std::uint64_t{4} << 56;
constexpr std::uint64_t kFunctionStep = 16;

}  // namespace

Program::Program(const std::string& text, Heap& heap, int device, const DeviceLimits& limits)
    : module_(ptx::parse(text)), heap_(&heap), limits_(limits) {
  place_variables(device);
  apply_relocations();
}

Program::~Program() {
  for (const auto& [name, allocation] : variables_) heap_->release(allocation->address);
}

void Program::place_variables(int device) {
  std::size_t shared = 0;
  for (const ptx::Variable& variable : module_.variables) {
    if (variable.space == ptx::Space::kShared) {
      if (variable.is_extern || variable.size == 0) continue;
      shared = aligned(shared, variable.alignment);
      shared_offsets_[variable.name] = shared;
      shared += variable.size;
      continue;
    }
    if (variable.is_extern) continue;
    const auto kind = variable.is_managed                    ? Allocation::Kind::kManaged
                      : variable.space == ptx::Space::kConst ? Allocation::Kind::kConstant
                                                             : Allocation::Kind::kVariable;
    Allocation* allocation = heap_->allocate(kind, std::max<std::size_t>(variable.size, 1), device, variable.name);
    if (allocation == nullptr) throw ptx::Error("no device memory for variable " + variable.name);
    std::memset(allocation->bytes, 0, allocation->size);
    std::copy(variable.initial.begin(), variable.initial.end(), allocation->bytes);
    allocation->shadow->set_initialised(0, allocation->size, true);
    variables_[variable.name] = allocation;
  }
  // In all kernels, shared memory begins with the variables of the module and of the functions that may be called. A
  // kernel's own variables come next, then its dynamic shared memory.
  const auto place = [&](const ptx::Function& function, std::size_t first) {
    std::size_t end = first;
    for (const ptx::Variable& variable : function.variables) {
      if (variable.space != ptx::Space::kShared || variable.is_extern || variable.size == 0) continue;
      end = aligned(end, variable.alignment);
      function_shared_[{&function, variable.name}] = end;
      end += variable.size;
    }
    return end;
  };
  for (const auto& [name, function] : module_.functions)
    if (!function.is_entry) shared = place(function, shared);
  for (const auto& [name, function] : module_.functions)
    if (function.is_entry) static_shared_[name] = aligned(place(function, shared), 16);
}

void Program::apply_relocations() {
  for (const ptx::Variable& variable : module_.variables)
    for (const ptx::Variable::Relocation& relocation : variable.relocations) {
      const bool function = module_.functions.count(relocation.symbol) == 1;
      const std::uint64_t address = (function ? function_address(relocation.symbol) : address_of(relocation.symbol)) +
                                    static_cast<std::uint64_t>(relocation.addend);
      std::memcpy(variables_.at(variable.name)->bytes + relocation.offset, &address, relocation.size);
    }
}

std::uint64_t Program::address_of(const std::string& variable) const {
  const auto shared = shared_offsets_.find(variable);
  if (shared != shared_offsets_.end()) return shared->second;
  const auto found = variables_.find(variable);
  if (found == variables_.end()) throw ptx::Error("no variable " + variable + " in this module");
  return found->second->address;
}

std::size_t Program::shared_offset(const ptx::Function& function, const ptx::Variable& variable) const {
  return function_shared_.at({&function, variable.name});
}

Allocation* Program::variable(const std::string& name) const {
  const auto found = variables_.find(name);
  return found == variables_.end() ? nullptr : found->second;
}

const Function& Program::function(const std::string& name) {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  const auto found = functions_.find(name);
  return found != functions_.end() ? *found->second : decode(name);
}

// The function is registered before it is built, so that recursive calls find it. If any function cannot be built, all
// functions begun together with it are removed, since some of them may call it.
const Function& Program::decode(const std::string& name) {
  const auto source = module_.functions.find(name);
  if (source == module_.functions.end()) throw ptx::Error("no function " + name + " in this module");
  const bool outermost = begun_.empty();
  begun_.push_back(name);
  auto& function = functions_[name];
  function = std::make_unique<Function>();
  try {
    FunctionBuilder(*this, source->second, *function).build();
  } catch (...) {
    if (outermost) {
      for (const std::string& begun : begun_) functions_.erase(begun);
      begun_.clear();
    }
    throw;
  }
  if (outermost) begun_.clear();
  return *function;
}

std::uint64_t Program::function_address(const std::string& name) {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  const auto found = std::find(function_names_.begin(), function_names_.end(), name);
  const auto index = static_cast<std::uint64_t>(found - function_names_.begin());
  if (found == function_names_.end()) function_names_.push_back(name);
  return kFirstFunction + index * kFunctionStep;
}

const Function* Program::function_at(std::uint64_t address) {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  const std::uint64_t index = (address - kFirstFunction) / kFunctionStep;
  if (address < kFirstFunction || address % kFunctionStep != 0 || index >= function_names_.size()) return nullptr;
  return &function(function_names_[index]);
}

LoadedModule::KernelInfo Program::info(const std::string& kernel) {
  const Function& code = function(kernel);
  LoadedModule::KernelInfo info;
  std::size_t offset = 0;
  for (const ptx::Variable& parameter : code.source->parameters) {
    offset = aligned(offset, parameter.alignment);
    info.parameter_offsets.push_back(offset);
    info.parameter_sizes.push_back(parameter.size);
    offset += parameter.size;
  }
  info.parameter_bytes = offset;
  info.static_shared = static_shared(kernel);
  info.local_bytes = code.local_bytes;
  std::size_t widths = 0;
  for (const auto& [name, type] : code.source->registers) widths += type == ptx::Type::kB64 ? 2 : 1;
  info.registers = static_cast<std::uint32_t>(std::clamp<std::size_t>(widths / 2, 16, 255));
  for (const char* bound : {"maxntid", "reqntid"}) {
    const auto found = code.source->directives.find(bound);
    if (found == code.source->directives.end()) continue;
    info.max_threads = 1;
    for (const std::uint32_t extent : found->second) info.max_threads *= extent;
  }
  return info;
}

LoadedModule::LoadedModule(const std::string& text, Heap& heap, int device, const DeviceLimits& limits)
    : program_(std::make_unique<Program>(text, heap, device, limits)) {}
LoadedModule::~LoadedModule() = default;

bool LoadedModule::has_kernel(const std::string& name) const {
  const auto found = program_->module().functions.find(name);
  return found != program_->module().functions.end() && found->second.is_entry;
}

Allocation* LoadedModule::variable(const std::string& name) const { return program_->variable(name); }
LoadedModule::KernelInfo LoadedModule::info(const std::string& kernel) const { return program_->info(kernel); }

}  // namespace vgpu
