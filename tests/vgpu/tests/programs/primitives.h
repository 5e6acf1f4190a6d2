// SPDX-License-Identifier: Apache-2.0
//
// What the programs share that use the toolkit's libraries of device code: CUB, libcu++, cooperative groups. Nothing in them was
// written for the virtual GPU; what they compute is compared with the host's.
#pragma once

#include <cstddef>
#include <random>
#include <vector>

#include "conformance/device_array.h"

namespace programs {

using conformance::DeviceArray;

// From 0 to `range` - 1.
template <class T = int>
std::vector<T> random_numbers(std::size_t count, unsigned range) {
  std::mt19937 random(static_cast<unsigned>(count));
  std::vector<T> numbers(count);
  for (T& number : numbers) number = static_cast<T>(random() % range);
  return numbers;
}

// CUB's algorithms for a whole device are called twice: for the bytes of workspace they want, and with it.
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
