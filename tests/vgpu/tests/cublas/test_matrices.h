// SPDX-License-Identifier: Apache-2.0
//
// Matrices on the device and matrix products in plain loops, for the tests of the stand-ins for cuBLAS. Elements are
// small multiples of 1/8, so sums of products are exact in any order on any device, and results are compared bit for
// bit.
#pragma once

#include <cublasLt.h>
#include <cublas_v2.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "cudart/find_vgpu.h"

namespace blas {

inline bool is_virtual() { return find_vgpu<decltype(vgpu_is_virtual)>("vgpu_is_virtual") != nullptr; }

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

inline std::size_t size_of(cudaDataType type) { return type == CUDA_R_32F ? 4 : 2; }

// Rounds to the nearest number with the type's precision, ties to even. Results must not be subnormal in the type.
inline double rounded(cudaDataType type, double value) {
  if (value == 0 || std::isnan(value)) return value;
  const int digits = type == CUDA_R_32F ? 24 : type == CUDA_R_16F ? 11 : 8;
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(fraction, digits)), exponent - digits);
}

// Encodes values that are representable in the type.
inline std::vector<std::byte> encoded(cudaDataType type, const std::vector<double>& values) {
  std::vector<std::byte> bytes(values.size() * size_of(type));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto value = static_cast<float>(values[i]);
    const __half half(value);
    const __nv_bfloat16 brain(value);
    const void* from = type == CUDA_R_32F   ? static_cast<const void*>(&value)
                       : type == CUDA_R_16F ? static_cast<const void*>(&half)
                                            : &brain;
    std::memcpy(bytes.data() + i * size_of(type), from, size_of(type));
  }
  return bytes;
}

inline std::vector<double> decoded(cudaDataType type, const std::vector<std::byte>& bytes) {
  std::vector<double> values(bytes.size() / size_of(type));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::byte* at = bytes.data() + i * size_of(type);
    float value = 0;
    __half half;
    __nv_bfloat16 brain;
    if (type == CUDA_R_32F) std::memcpy(&value, at, sizeof value);
    if (type == CUDA_R_16F) std::memcpy(static_cast<void*>(&half), at, sizeof half), value = half;
    if (type == CUDA_R_16BF) std::memcpy(static_cast<void*>(&brain), at, sizeof brain), value = brain;
    values[i] = value;
  }
  return values;
}

// An array of elements on the device. Elements that were not written read as NaN.
class DeviceArray {
 public:
  DeviceArray(cudaDataType type, std::size_t count) : type_(type), bytes_(count * size_of(type)) {
    EXPECT_EQ(cudaMalloc(&data_, bytes_), cudaSuccess);
  }
  DeviceArray(cudaDataType type, const std::vector<double>& values) : DeviceArray(type, values.size()) {
    EXPECT_EQ(cudaMemcpy(data_, encoded(type, values).data(), bytes_, cudaMemcpyHostToDevice), cudaSuccess);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  void* data() const { return data_; }
  float* floats() const { return static_cast<float*>(data_); }
  std::vector<double> values() const {
    std::vector<std::byte> host(bytes_);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    EXPECT_EQ(cudaMemcpy(host.data(), data_, bytes_, cudaMemcpyDeviceToHost), cudaSuccess);
    return decoded(type_, host);
  }

 private:
  cudaDataType type_;
  std::size_t bytes_;
  void* data_ = nullptr;
};

// Returns element number `number` of a reproducible sequence of multiples of 1/8 from -2 to 2.
inline double element(std::size_t number) {
  std::uint64_t x = (number + 1) * 0x9e3779b97f4a7c15;
  x ^= x >> 29;
  x *= 0xbf58476d1ce4e5b9;
  return static_cast<double>(static_cast<int>(x >> 40) % 33 - 16) / 8;
}

// A matrix in column-major or row-major order, with padding between its columns or rows that must not be read.
struct HostMatrix {
  int rows, columns, ld;
  bool row_major = false;
  std::vector<double> values{};

  std::size_t at(int row, int column) const {
    return static_cast<std::size_t>(row_major ? row * ld + column : column * ld + row);
  }
  std::size_t lines() const { return static_cast<std::size_t>(row_major ? rows : columns); }
  double operator()(int row, int column) const { return values[at(row, column)]; }

  HostMatrix& fill(std::size_t seed) {
    values.assign(lines() * static_cast<std::size_t>(ld), kNan);
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns; ++column) values[at(row, column)] = element(seed + at(row, column));
    return *this;
  }
};

// Returns one element of op(A) op(B).
inline double dot(const HostMatrix& a, bool transpose_a, const HostMatrix& b, bool transpose_b, int row, int column) {
  double sum = 0;
  for (int i = 0; i < (transpose_a ? a.rows : a.columns); ++i)
    sum += (transpose_a ? a(i, row) : a(row, i)) * (transpose_b ? b(column, i) : b(i, column));
  return sum;
}

inline void expect_same(const std::vector<double>& found, const std::vector<double>& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    ASSERT_TRUE(found[i] == wanted[i] || (std::isnan(found[i]) && std::isnan(wanted[i])))
        << "element " << i << ": " << found[i] << ", not " << wanted[i];
}

class Workspace {
 public:
  Workspace() { EXPECT_EQ(cudaMalloc(&data_, kBytes), cudaSuccess); }
  ~Workspace() { cudaFree(data_); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  void* data() const { return data_; }
  static constexpr std::size_t kBytes = std::size_t{4} << 20;

 private:
  void* data_ = nullptr;
};

}  // namespace blas
