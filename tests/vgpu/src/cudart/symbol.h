// SPDX-License-Identifier: Apache-2.0
//
// Variables of device code, identified by the address of their host shadow variable.
#pragma once

#include <cstddef>

#include "cudart/cuda_api.h"
#include "cudart/work.h"
#include "memory/heap.h"

namespace vgpu::cudart {

// Returns the variable on the current device. Fails with cudaErrorInvalidSymbol if the symbol is unknown.
const Allocation& variable_of(const void* symbol);

// The offset and the count are checked by the copy itself.
CopyWork copy_to_symbol(const void* symbol, const void* from, std::size_t count, std::size_t offset,
                        cudaMemcpyKind kind);
CopyWork copy_from_symbol(void* to, const void* symbol, std::size_t count, std::size_t offset, cudaMemcpyKind kind);

}  // namespace vgpu::cudart
