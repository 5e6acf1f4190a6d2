// SPDX-License-Identifier: Apache-2.0
//
// The smallest possible library that computes on the virtual GPU: it adds a number to each of several integers.
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
  int* released;  // incremented when the argument is released
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

// Adds to `count` integers, in work that declares the given ranges. The overload below declares the updated integers.
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
