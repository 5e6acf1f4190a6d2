// SPDX-License-Identifier: Apache-2.0
//
// Copies and fills: what is checked when they are issued, and what they do when they run.
#pragma once

#include <cstddef>

#include "cudart/cuda_api.h"
#include "cudart/stream.h"
#include "cudart/work.h"

namespace vgpu::cudart {

enum class Blocking : bool { kNo, kYes };

// A device address, as CUDA hands them out: as a pointer.
inline std::uint64_t address_of(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }
inline void* pointer_to(std::uint64_t address) { return reinterpret_cast<void*>(address); }

// One row of bytes.
CopyWork linear_copy(void* to, const void* from, std::size_t count, cudaMemcpyKind kind);

// As CUDA describes copies and fills of boxes. Arrays are refused, and no description is invalid.
CopyWork copy_of(const cudaMemcpy3DParms* parameters);
SetWork set_of(const cudaMemsetParams* parameters);

// Both ends against the allocations, and the direction.
void check(const CopyWork& copy);
void check(const SetWork& set);
template <class Some>
Some checked(Some work) {
  check(work);
  return work;
}

// Checks, then issues. What CUDA documents as synchronous is complete on
// return: among blocking copies all but those within device memory, among the others those that end in pageable memory.
void issue_copy(Stream& stream, CopyWork copy, Blocking blocking);
void issue_set(Stream& stream, SetWork set, Blocking blocking);

void perform_copy(const CopyWork& copy);
void perform_set(const SetWork& set);

}  // namespace vgpu::cudart
