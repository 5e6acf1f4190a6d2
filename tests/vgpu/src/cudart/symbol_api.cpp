// SPDX-License-Identifier: Apache-2.0
//
// Variables of device code.
#include "cudart/copy.h"
#include "cudart/runtime.h"
#include "cudart/symbol.h"

namespace vgpu::cudart {

const Allocation& variable_of(const void* symbol) {
  Runtime& state = runtime();
  const Variable* variable = state.registry.variable(symbol);
  require(variable != nullptr, cudaErrorInvalidSymbol);
  const Allocation* allocation = variable->code->module(state.current())->variable(variable->name);
  require(allocation != nullptr, cudaErrorInvalidSymbol);
  return *allocation;
}

CopyWork copy_to_symbol(const void* symbol, const void* from, std::size_t count, std::size_t offset,
                        cudaMemcpyKind kind) {
  require(kind != cudaMemcpyHostToHost && kind != cudaMemcpyDeviceToHost, cudaErrorInvalidMemcpyDirection);
  return linear_copy(pointer_to(variable_of(symbol).address + offset), from, count, kind);
}

CopyWork copy_from_symbol(void* to, const void* symbol, std::size_t count, std::size_t offset, cudaMemcpyKind kind) {
  require(kind != cudaMemcpyHostToHost && kind != cudaMemcpyHostToDevice, cudaErrorInvalidMemcpyDirection);
  return linear_copy(to, pointer_to(variable_of(symbol).address + offset), count, kind);
}

}  // namespace vgpu::cudart

using namespace vgpu::cudart;

cudaError_t cudaGetSymbolAddress(void** pointer, const void* symbol) {
  return call([&] {
    require(pointer != nullptr);
    *pointer = pointer_to(variable_of(symbol).address);
  });
}

cudaError_t cudaGetSymbolSize(std::size_t* size, const void* symbol) {
  return call([&] {
    require(size != nullptr);
    *size = variable_of(symbol).size;
  });
}

cudaError_t cudaMemcpyToSymbol(const void* symbol, const void* from, std::size_t count, std::size_t offset,
                               cudaMemcpyKind kind) {
  return fallible_call(
      [&] { issue_copy(stream_of(nullptr), copy_to_symbol(symbol, from, count, offset, kind), Blocking::kYes); });
}

cudaError_t cudaMemcpyToSymbolAsync(const void* symbol, const void* from, std::size_t count, std::size_t offset,
                                    cudaMemcpyKind kind, cudaStream_t stream) {
  return fallible_call(
      [&] { issue_copy(stream_of(stream), copy_to_symbol(symbol, from, count, offset, kind), Blocking::kNo); });
}

cudaError_t cudaMemcpyFromSymbol(void* to, const void* symbol, std::size_t count, std::size_t offset,
                                 cudaMemcpyKind kind) {
  return fallible_call(
      [&] { issue_copy(stream_of(nullptr), copy_from_symbol(to, symbol, count, offset, kind), Blocking::kYes); });
}

cudaError_t cudaMemcpyFromSymbolAsync(void* to, const void* symbol, std::size_t count, std::size_t offset,
                                      cudaMemcpyKind kind, cudaStream_t stream) {
  return fallible_call(
      [&] { issue_copy(stream_of(stream), copy_from_symbol(to, symbol, count, offset, kind), Blocking::kNo); });
}
