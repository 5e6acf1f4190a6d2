// SPDX-License-Identifier: Apache-2.0
//
// An executable module, whose variables have addresses and whose functions are decoded on first use.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "exec/code.h"
#include "exec/launch.h"
#include "memory/heap.h"
#include "ptx/module.h"

namespace vgpu {

class Program {
 public:
  Program(const std::string& text, Heap& heap, int device, const DeviceLimits& limits);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  const ptx::Module& module() const { return module_; }
  const DeviceLimits& limits() const { return limits_; }

  // Decodes the function and those that it calls on first use. Throws ptx::Error. Threads may call this concurrently.
  const Function& function(const std::string& name);

  Allocation* variable(const std::string& name) const;
  LoadedModule::KernelInfo info(const std::string& kernel);

  // Returns the generic address of a module-scope variable or, if it is shared, its offset in shared memory.
  std::uint64_t address_of(const std::string& variable) const;
  // Returns the offset of a shared variable that a function declares.
  std::size_t shared_offset(const ptx::Function& function, const ptx::Variable& variable) const;
  // Returns the bytes of shared memory that a kernel's variables take. Its dynamic shared memory follows them.
  std::size_t static_shared(const std::string& kernel) const { return static_shared_.at(kernel); }

  // The bytes that the system reserves after a block's own shared memory: 0 unless a function reads their address.
  std::size_t reserved_shared() const { return reserved_shared_; }
  void reserve_shared() { reserved_shared_ = 1024; }

  // Functions have addresses for indirect calls.
  std::uint64_t function_address(const std::string& name);
  const Function* function_at(std::uint64_t address);

 private:
  const Function& decode(const std::string& name);
  void place_variables(int device);
  void apply_relocations();

  ptx::Module module_;
  Heap* heap_;
  DeviceLimits limits_;
  std::map<std::string, Allocation*> variables_;
  std::map<std::string, std::size_t> shared_offsets_;  // of module-scope variables
  std::map<std::string, std::size_t> static_shared_;   // by kernel
  std::map<std::pair<const ptx::Function*, std::string>, std::size_t> function_shared_;
  std::map<std::string, std::unique_ptr<Function>> functions_;
  std::vector<std::string> begun_;           // begun by the current decode()
  std::vector<std::string> function_names_;  // by address
  std::atomic<std::size_t> reserved_shared_{0};
  std::recursive_mutex mutex_;
};

}  // namespace vgpu
