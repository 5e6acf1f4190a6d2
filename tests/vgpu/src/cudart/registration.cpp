// SPDX-License-Identifier: Apache-2.0
#include "cudart/registration.h"

#include <array>
#include <type_traits>

#include "cudart/kernel.h"
#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

struct Configuration {
  dim3 grid, block;
  std::size_t shared;
  cudaStream_t stream;
};

// Stores the configurations of launches as a stack: between <<< >>> and the call of the stub, arguments are evaluated,
// which may launch kernels as well. Nothing here has a destructor, since static objects may launch kernels after the
// thread's variables were destroyed.
struct Configurations {
  std::array<Configuration, 64> stack;
  std::size_t count = 0;
};
static_assert(std::is_trivially_destructible_v<Configurations>);

Configurations& configurations() {
  thread_local Configurations all;
  return all;
}

// The handle of a fat binary is the Code object.
Code* code_of(void** handle) { return reinterpret_cast<Code*>(handle); }

}  // namespace
}  // namespace vgpu::cudart

using namespace vgpu::cudart;

void** __cudaRegisterFatBinary(void* fatbin) {
  void** handle = nullptr;
  outcome_of(
      [&] { handle = reinterpret_cast<void**>(runtime().registry.add([fatbin] { return wrapped_images(fatbin); })); });
  return handle;
}

void __cudaRegisterFatBinaryEnd(void**) {}

void __cudaUnregisterFatBinary(void** handle) {
  outcome_of([&] { runtime().registry.remove(code_of(handle)); });
}

char __cudaInitModule(void** handle) {
  return call([&] { runtime().registry.place_managed(code_of(handle), runtime().current()); }) == cudaSuccess ? 1 : 0;
}

void __cudaRegisterFunction(void** handle, const char* host, char*, const char* name, int, uint3*, uint3*, dim3*, dim3*,
                            int*) {
  outcome_of([&] {
    Registry& registry = runtime().registry;
    registry.add_stub(host, registry.add_kernel(code_of(handle), name));
  });
}

void __cudaRegisterVar(void** handle, char* host, char*, const char* name, int, std::size_t, int, int) {
  outcome_of([&] { runtime().registry.add_variable(host, {code_of(handle), name}); });
}

void __cudaRegisterManagedVar(void** handle, void** host, char*, const char* name, int, std::size_t, int, int) {
  outcome_of([&] { runtime().registry.add_variable(host, {code_of(handle), name, host}); });
}

unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, std::size_t shared, CUstream_st* stream) {
  Configurations& all = configurations();
  if (all.count == all.stack.size()) return last_error() = cudaErrorLaunchOutOfResources;
  all.stack[all.count++] = {grid, block, shared, stream};
  return cudaSuccess;
}

cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, std::size_t* shared, void* stream) {
  Configurations& all = configurations();
  if (all.count == 0) return last_error() = cudaErrorMissingConfiguration;
  const Configuration& top = all.stack[--all.count];
  *grid = top.grid;
  *block = top.block;
  *shared = top.shared;
  *static_cast<cudaStream_t*>(stream) = top.stream;
  return cudaSuccess;
}

cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* host) {
  return outcome_of([&] { *kernel = &kernel_of(host); });
}

cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** arguments, std::size_t shared,
                               cudaStream_t stream) {
  return fallible_call(cudaErrorLaunchFailure, [&] {
    launch(kernel, {grid, block, shared, false}, arguments, stream);
  });
}

cudaError_t __cudaLaunchKernel_ptsz(cudaKernel_t kernel, dim3 grid, dim3 block, void** arguments, std::size_t shared,
                                    cudaStream_t stream) {
  return __cudaLaunchKernel(kernel, grid, block, arguments, shared, stream == nullptr ? cudaStreamPerThread : stream);
}
