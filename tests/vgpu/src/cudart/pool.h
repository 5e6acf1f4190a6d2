// SPDX-License-Identifier: Apache-2.0
//
// Stream-ordered memory allocation. Addresses are never reused, so that a use after free is found; a pool therefore
// only keeps statistics.
#pragma once

#include <cstdint>
#include <map>

#include "cudart/cuda_api.h"
#include "cudart/stream.h"

struct CUmemPoolHandle_st {
  int device = 0;
  std::map<cudaMemPoolAttr, std::uint64_t> attributes;  // the attributes that a program can set
  std::uint64_t used = 0;                               // in bytes
  std::uint64_t most_used = 0;
  bool destroyed = false;  // kept while memory of the pool is in use
};

namespace vgpu::cudart {

using Pool = CUmemPoolHandle_st;

Pool& pool_of(cudaMemPool_t handle);
void* allocate_in_order(Pool& pool, Stream& stream, std::size_t size);
void free_in_order(void* pointer, Stream& stream);

}  // namespace vgpu::cudart
