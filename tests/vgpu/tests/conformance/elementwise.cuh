// SPDX-License-Identifier: Apache-2.0
//
// Applies instructions to each element of arrays and returns the results for comparison.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "device_array.h"

namespace conformance {

// Collects the results of a kernel: thread i processes element i of each input and calls put() once for each
// instruction.
template <class T>
class Results {
 public:
  __device__ Results(T* out, int count) : next_(out + index()), count_(count) {}
  __device__ static int index() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }
  __device__ void put(T value) {
    *next_ = value;
    next_ += count_;
  }

 private:
  T* next_;
  int count_;
};

// Runs the kernel; results[i * count + j] is the result of instruction i for elements j.
template <class Out, class... In>
std::vector<Out> apply(void (*kernel)(Out*, int, const In*...), std::size_t instructions,
                       const std::vector<In>&... in) {
  const auto launch = [&](std::size_t count, const DeviceArray<In>&... device) {
    const DeviceArray<Out> out(count * instructions);
    const auto blocks = static_cast<unsigned>((count + 127) / 128);
    kernel<<<blocks, 128>>>(out.get(), static_cast<int>(count), device.get()...);
    return out.read();
  };
  return launch(std::min({in.size()...}), DeviceArray<In>(in)...);
}

static __global__ void report_architecture(int* out) {
#ifdef __CUDA_ARCH__
  *out = __CUDA_ARCH__ / 10;
#endif
}

// Returns the architecture that the running code was compiled for, such as 90 for compute_90.
inline int code_architecture() {
  const DeviceArray<int> out(1);
  report_architecture<<<1, 1>>>(out.get());
  return out.read()[0];
}

// Returns columns of operands: all combinations of the special values, then random bits.
template <std::size_t kColumns, class T>
std::array<std::vector<T>, kColumns> operands(const std::vector<T>& special, std::size_t random) {
  std::array<std::vector<T>, kColumns> columns;
  std::size_t combinations = 1;
  for (std::size_t column = 0; column < kColumns; ++column) combinations *= special.size();
  for (std::size_t i = 0; i < combinations; ++i) {
    std::size_t rest = i;
    for (std::vector<T>& column : columns) {
      column.push_back(special[rest % special.size()]);
      rest /= special.size();
    }
  }
  std::mt19937_64 bits(kColumns);
  for (std::size_t i = 0; i < random; ++i)
    for (std::vector<T>& column : columns) column.push_back(static_cast<T>(bits()));
  return columns;
}

}  // namespace conformance
