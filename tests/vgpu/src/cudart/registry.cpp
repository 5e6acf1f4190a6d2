// SPDX-License-Identifier: Apache-2.0
#include "cudart/registry.h"

#include <stdexcept>
#include <utility>

#include "cudart/error.h"
#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

struct Source {
  std::string text;
  std::uint32_t architecture;
};

Source source_for(const std::vector<Image>& images, std::uint32_t architecture) {
  const Image* image = choose_ptx(images, architecture);
  if (image == nullptr) {
    say("no PTX for sm_" + std::to_string(architecture) + " in this device code; compile for compute_" +
        std::to_string(architecture) + " or lower, with code=compute_NN");
    fail(cudaErrorNoKernelImageForDevice);
  }
  if (image->compressed) {
    say("compressed PTX is not read; compile with --no-compress");
    fail(cudaErrorInvalidKernelImage);
  }
  const std::string text(image->data, image->size);
  return {text.substr(0, text.find('\0')), image->architecture};
}

std::vector<Image> read(const Code::Images& images) {
  try {
    return images();
  } catch (const std::runtime_error& error) {
    say(error.what());
    fail(cudaErrorInvalidKernelImage);
  }
}

template <class Map, class Condition>
void erase_if(Map& map, Condition condition) {
  for (auto at = map.begin(); at != map.end();) at = condition(*at) ? map.erase(at) : std::next(at);
}

}  // namespace

const Code::Loaded& Code::load(const Device& device) {
  const auto found = loaded_.find(device.ordinal);
  if (found != loaded_.end()) return found->second;
  const Source source = source_for(read(images_), device.limits.architecture);
  try {
    auto module = std::make_shared<const LoadedModule>(source.text, runtime().heap, device.ordinal, device.limits);
    return loaded_[device.ordinal] = {std::move(module), source.architecture};
  } catch (const ptx::Error& error) {
    say(error.what());
    fail(cudaErrorInvalidPtx);
  }
}

std::shared_ptr<const LoadedModule> Code::module(const Device& device) { return load(device).module; }
std::uint32_t Code::architecture(const Device& device) { return load(device).architecture; }

Code* Registry::add(Code::Images images) {
  auto code = std::make_unique<Code>(std::move(images));
  Code* pointer = code.get();
  codes_[pointer] = std::move(code);
  return pointer;
}

void Registry::remove(Code* code) {
  erase_if(stubs_, [&](const auto& entry) { return entry.second->code == code; });
  erase_if(kernels_, [&](const auto& entry) { return entry.second->code == code; });
  erase_if(variables_, [&](const auto& entry) { return entry.second.code == code; });
  codes_.erase(code);
}

Kernel& Registry::add_kernel(Code* code, std::string name) {
  auto kernel = std::make_unique<Kernel>();
  kernel->code = code;
  kernel->name = std::move(name);
  Kernel* handle = kernel.get();
  kernels_[handle] = std::move(kernel);
  return *handle;
}

void Registry::add_variable(const void* host, Variable variable) { variables_[host] = std::move(variable); }

Kernel* Registry::kernel(const void* host_or_handle) const {
  const auto stub = stubs_.find(host_or_handle);
  if (stub != stubs_.end()) return stub->second;
  const auto found = kernels_.find(host_or_handle);
  return found != kernels_.end() ? found->second.get() : nullptr;
}

Variable* Registry::variable(const void* host) {
  const auto found = variables_.find(host);
  return found == variables_.end() ? nullptr : &found->second;
}

void Registry::place_managed(Code* code, const Device& device) {
  for (auto& [host, variable] : variables_) {
    if (variable.code != code || variable.managed == nullptr) continue;
    const Allocation* allocation = code->module(device)->variable(variable.name);
    require(allocation != nullptr, cudaErrorInvalidSymbol);
    *variable.managed = reinterpret_cast<void*>(allocation->address);
  }
}

void Registry::reset(int device) {
  for (auto& [pointer, code] : codes_) code->unload(device);
  for (auto& [handle, kernel] : kernels_) kernel->attributes.erase(device);
}

}  // namespace vgpu::cudart
