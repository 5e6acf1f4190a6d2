// SPDX-License-Identifier: Apache-2.0
//
// What programs registered: fat binaries, the kernels and variables in them, and the modules made of them, one per device,
// when first needed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cudart/cuda_api.h"
#include "cudart/fatbin.h"
#include "exec/launch.h"

namespace vgpu::cudart {

struct Device;

// Device code from one source.
class Code {
 public:
  // The images are asked for when a device first needs the code; throws std::runtime_error where they cannot be read.
  using Images = std::function<std::vector<Image>()>;
  explicit Code(Images images) : images_(std::move(images)) {}

  // Loads it for the device on first use. Fails as CUDA does where it has nothing for the device, or cannot be read.
  std::shared_ptr<const LoadedModule> module(const Device& device);
  std::uint32_t architecture(const Device& device);  // of the PTX that the device runs
  void unload(int device) { loaded_.erase(device); }

 private:
  struct Loaded {
    std::shared_ptr<const LoadedModule> module;
    std::uint32_t architecture = 0;
  };
  const Loaded& load(const Device& device);

  Images images_;
  std::map<int, Loaded> loaded_;
};

struct Variable {
  Code* code;
  std::string name;
  void** managed = nullptr;  // where the program keeps the address of a managed variable
};

}  // namespace vgpu::cudart

// A kernel's handle is also the identity behind the address of its host stub.
struct CUkern_st {
  struct Attributes {
    int max_dynamic_shared = 48 * 1024;
    int carveout = -1;
  };
  vgpu::cudart::Code* code;
  std::string name;
  std::map<int, Attributes> attributes;  // by device
};

namespace vgpu::cudart {

using Kernel = CUkern_st;

class Registry {
 public:
  Code* add(Code::Images images);
  void remove(Code* code);  // with its kernels and variables

  Kernel& add_kernel(Code* code, std::string name);
  void add_stub(const void* host, Kernel& kernel) { stubs_[host] = &kernel; }
  void add_variable(const void* host, Variable variable);

  // By the address of the host stub, or by handle. Null: unknown.
  Kernel* kernel(const void* host_or_handle) const;
  Variable* variable(const void* host);

  // Gives a program the addresses of its managed variables.
  void place_managed(Code* code, const Device& device);
  void reset(int device);  // unloads the modules of a device and forgets what was set for it

 private:
  std::map<const Code*, std::unique_ptr<Code>> codes_;
  std::map<const void*, std::unique_ptr<Kernel>> kernels_;  // by handle
  std::map<const void*, Kernel*> stubs_;                    // by host stub
  std::map<const void*, Variable> variables_;
};

}  // namespace vgpu::cudart
