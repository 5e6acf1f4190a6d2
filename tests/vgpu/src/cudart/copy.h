// SPDX-License-Identifier: Apache-2.0
//
// Copies and fills: the checks at the time of the call, and their execution.
#pragma once

#include <cstddef>

#include "cudart/cuda_api.h"
#include "cudart/stream.h"
#include "cudart/work.h"

namespace vgpu::cudart {

enum class Blocking : bool { kNo, kYes };

// Returns the address of a device pointer.
inline std::uint64_t address_of(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }
inline void* pointer_to(std::uint64_t address) { return reinterpret_cast<void*>(address); }

// Copies or fills a single row of bytes.
CopyWork linear_copy(void* to, const void* from, std::size_t count, cudaMemcpyKind kind);

// Convert CUDA's descriptions of 3-D copies and fills. Arrays are refused, and null is invalid.
CopyWork copy_of(const cudaMemcpy3DParms* parameters);
SetWork set_of(const cudaMemsetParams* parameters);

// Checks both ends against the allocations, and the direction of the copy.
void check(const CopyWork& copy);
void check(const SetWork& set);
template <class Some>
Some checked(Some work) {
  check(work);
  return work;
}

// Checks and issues the copy. Copies that CUDA documents as synchronous have completed on return: blocking copies,
// except within device memory, and asynchronous ones to pageable memory.
void issue_copy(Stream& stream, CopyWork copy, Blocking blocking);
void issue_set(Stream& stream, SetWork set, Blocking blocking);

void perform_copy(const CopyWork& copy);
void perform_set(const SetWork& set);

}  // namespace vgpu::cudart
