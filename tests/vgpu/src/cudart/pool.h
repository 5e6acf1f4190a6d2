// SPDX-License-Identifier: Apache-2.0
//
// Memory that is allocated and freed in the order of a stream. Its addresses are never used again, so that a use after the
// free is found; a pool therefore only keeps the books.
#pragma once

#include <cstdint>
#include <map>

#include "cudart/cuda_api.h"
#include "cudart/stream.h"

struct CUmemPoolHandle_st {
  int device = 0;
  std::map<cudaMemPoolAttr, std::uint64_t> attributes;  // those that a program sets
  std::uint64_t used = 0;                               // bytes
  std::uint64_t most_used = 0;
  bool destroyed = false;  // lives on while something of it is in use
};

namespace vgpu::cudart {

using Pool = CUmemPoolHandle_st;

Pool& pool_of(cudaMemPool_t handle);
void* allocate_in_order(Pool& pool, Stream& stream, std::size_t size);
void free_in_order(void* pointer, Stream& stream);

}  // namespace vgpu::cudart
