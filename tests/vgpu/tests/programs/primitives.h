// SPDX-License-Identifier: Apache-2.0
//
// Helpers for the programs that use the toolkit's device libraries: CUB, libcu++ and cooperative groups. Nothing in
// these programs is specific to the virtual GPU, and results are compared with the host.
#pragma once

#include <cstddef>
#include <random>
#include <vector>

#include "conformance/device_array.h"

namespace programs {

using conformance::DeviceArray;

// Returns random numbers from 0 to `range` - 1.
template <class T = int>
std::vector<T> random_numbers(std::size_t count, unsigned range) {
  std::mt19937 random(static_cast<unsigned>(count));
  std::vector<T> numbers(count);
  for (T& number : numbers) number = static_cast<T>(random() % range);
  return numbers;
}

// CUB's device-wide algorithms are called twice: first to query the size of the temporary storage (in bytes), then to
// run.
template <class Algorithm>
void run_with_workspace(Algorithm algorithm) {
  std::size_t bytes = 0;
  ASSERT_EQ(algorithm(nullptr, bytes), cudaSuccess);
  void* workspace = nullptr;
  ASSERT_EQ(cudaMalloc(&workspace, bytes), cudaSuccess);
  EXPECT_EQ(algorithm(workspace, bytes), cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(cudaFree(workspace), cudaSuccess);
}

}  // namespace programs
