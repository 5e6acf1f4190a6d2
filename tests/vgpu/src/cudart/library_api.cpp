// SPDX-License-Identifier: Apache-2.0
//
// Device code that a program loads itself: PTX text or a fat binary.
#include <fstream>
#include <iterator>
#include <string>

#include "cudart/copy.h"
#include "cudart/runtime.h"

struct CUlib_st {
  vgpu::cudart::Code* code;
  std::string data;  // PTX, or the contents of a file
  std::map<std::string, vgpu::cudart::Kernel*> kernels;
};

namespace vgpu::cudart {
namespace {

using Library = CUlib_st;

std::map<Library*, std::unique_ptr<Library>>& libraries() {
  static auto* all = new std::map<Library*, std::unique_ptr<Library>>;
  return *all;
}

Library& library_of(cudaLibrary_t handle) {
  require(libraries().count(handle) != 0, cudaErrorInvalidResourceHandle);
  return *handle;
}

Image whole(const std::string& text) {
  Image image;
  image.ptx = true;
  image.data = text.data();
  image.size = text.size();
  return image;
}

Library& add(std::unique_ptr<Library> library, Code::Images images) {
  Library* handle = library.get();
  handle->code = runtime().registry.add(std::move(images));
  libraries()[handle] = std::move(library);
  return *handle;
}

// The program may free its PTX after the call; a fat binary must remain valid.
Library& load(const void* data) {
  auto library = std::make_unique<Library>();
  if (is_fatbin(data)) return add(std::move(library), [data] { return fatbin_images(data); });
  library->data = static_cast<const char*>(data);
  return add(std::move(library), [text = &library->data] { return std::vector<Image>{whole(*text)}; });
}

Library& load_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  require(file.good(), cudaErrorFileNotFound);
  auto library = std::make_unique<Library>();
  library->data.assign(std::istreambuf_iterator<char>(file), {});
  const std::string* data = &library->data;
  if (data->size() >= sizeof(std::uint32_t) && is_fatbin(data->data()))
    return add(std::move(library), [data] { return fatbin_images(data->data()); });
  return add(std::move(library), [data] { return std::vector<Image>{whole(*data)}; });
}

Kernel& kernel_in(Library& library, const std::string& name) {
  require(library.code->module(runtime().current())->has_kernel(name), cudaErrorSymbolNotFound);
  Kernel*& kernel = library.kernels[name];
  if (kernel == nullptr) kernel = &runtime().registry.add_kernel(library.code, name);
  return *kernel;
}

}  // namespace
}  // namespace vgpu::cudart

using namespace vgpu::cudart;

cudaError_t cudaLibraryLoadData(cudaLibrary_t* library, const void* data, cudaJitOption*, void**, unsigned,
                                cudaLibraryOption*, void**, unsigned options) {
  return call([&] {
    require(library != nullptr && data != nullptr);
    if (options != 0) refuse("an option of a library");
    *library = &load(data);
  });
}

cudaError_t cudaLibraryLoadFromFile(cudaLibrary_t* library, const char* path, cudaJitOption*, void**, unsigned,
                                    cudaLibraryOption*, void**, unsigned options) {
  return call([&] {
    require(library != nullptr && path != nullptr);
    if (options != 0) refuse("an option of a library");
    *library = &load_file(path);
  });
}

cudaError_t cudaLibraryUnload(cudaLibrary_t library) {
  return call([&] {
    runtime().registry.remove(library_of(library).code);
    libraries().erase(library);
  });
}

cudaError_t cudaLibraryGetKernel(cudaKernel_t* kernel, cudaLibrary_t library, const char* name) {
  return call([&] {
    require(kernel != nullptr && name != nullptr);
    *kernel = &kernel_in(library_of(library), name);
  });
}

cudaError_t cudaLibraryGetGlobal(void** pointer, std::size_t* bytes, cudaLibrary_t library, const char* name) {
  return call([&] {
    require(name != nullptr && (pointer != nullptr || bytes != nullptr));
    const vgpu::Allocation* variable = library_of(library).code->module(runtime().current())->variable(name);
    require(variable != nullptr, cudaErrorSymbolNotFound);
    if (pointer != nullptr) *pointer = pointer_to(variable->address);
    if (bytes != nullptr) *bytes = variable->size;
  });
}
