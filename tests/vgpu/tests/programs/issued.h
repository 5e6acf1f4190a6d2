// SPDX-License-Identifier: Apache-2.0
//
// A library that computes on the virtual GPU, the smallest: it adds a number to each of some integers.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <vector>

#include "cudart/find_vgpu.h"

namespace programs {

struct Addition {
  int* values;
  int count;
  int summand;
  int* released;  // counts
};

inline void add_now(void* argument) {
  const auto& addition = *static_cast<const Addition*>(argument);
  const std::size_t bytes = static_cast<std::size_t>(addition.count) * sizeof(int);
  auto* values = static_cast<int*>(find_vgpu<decltype(vgpu_bytes)>("vgpu_bytes")(addition.values, bytes));
  for (int i = 0; i < addition.count; ++i) values[i] += addition.summand;
}

inline void release_addition(void* argument) {
  const auto* addition = static_cast<const Addition*>(argument);
  ++*addition->released;
  delete addition;
}

// Of memory that the work says it updates, or of whatever else it says.
inline int issue_addition(int* values, int count, int summand, cudaStream_t stream, int& released,
                          const std::vector<vgpu_range_t>& ranges) {
  auto* issue = find_vgpu<decltype(vgpu_issue)>("vgpu_issue");
  return issue(stream, "addition", ranges.data(), ranges.size(), add_now, release_addition,
               new Addition{values, count, summand, &released});
}

inline int issue_addition(int* values, int count, int summand, cudaStream_t stream, int& released) {
  return issue_addition(values, count, summand, stream, released,
                        {{values, static_cast<std::size_t>(count) * sizeof(int), 2}});
}

}  // namespace programs
