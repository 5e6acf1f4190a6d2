// SPDX-License-Identifier: Apache-2.0
//
// Everything that the program has registered: fat binaries with their kernels and variables, and the modules that are
// loaded from them for each device on first use.
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

// Device code from a single source.
class Code {
 public:
  // `images` is called when a device first needs the code. It throws std::runtime_error if the images cannot be read.
  using Images = std::function<std::vector<Image>()>;
  explicit Code(Images images) : images_(std::move(images)) {}

  // Loads the code for the device on first use. Fails as CUDA does if there is no image for the device or the image is
  // invalid.
  std::shared_ptr<const LoadedModule> module(const Device& device);
  std::uint32_t architecture(const Device& device);  // of the PTX that runs on the device
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
  void** managed = nullptr;  // the program's pointer to a managed variable
};

}  // namespace vgpu::cudart

// A kernel. It is identified by the address of its host stub or by its handle.
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
  void remove(Code* code);  // together with its kernels and variables

  Kernel& add_kernel(Code* code, std::string name);
  void add_stub(const void* host, Kernel& kernel) { stubs_[host] = &kernel; }
  void add_variable(const void* host, Variable variable);

  // Finds a kernel by the address of its host stub or by its handle. Returns null if it is unknown.
  Kernel* kernel(const void* host_or_handle) const;
  Variable* variable(const void* host);

  // Stores the addresses of managed variables in the program's pointers to them.
  void place_managed(Code* code, const Device& device);
  void reset(int device);  // unloads the modules of a device and its kernel attributes

 private:
  std::map<const Code*, std::unique_ptr<Code>> codes_;
  std::map<const void*, std::unique_ptr<Kernel>> kernels_;  // by handle
  std::map<const void*, Kernel*> stubs_;                    // by host stub
  std::map<const void*, Variable> variables_;
};

}  // namespace vgpu::cudart
