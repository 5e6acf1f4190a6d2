// SPDX-License-Identifier: Apache-2.0
#include "cublas/element.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstring>

namespace vgpu::cublas {
namespace {

template <class T>
T bits_at(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
void put(std::byte* to, const T& value) {
  std::memcpy(to, &value, sizeof value);
}

}  // namespace

bool is_modelled(cudaDataType type) { return type == CUDA_R_32F || type == CUDA_R_16F || type == CUDA_R_16BF; }

std::size_t size_of(cudaDataType type) { return type == CUDA_R_32F ? 4 : 2; }

double load(cudaDataType type, const std::byte* from) {
  switch (type) {
    case CUDA_R_16F:
      return __half2float(bits_at<__half>(from));
    case CUDA_R_16BF:
      return __bfloat162float(bits_at<__nv_bfloat16>(from));
    default:
      return bits_at<float>(from);
  }
}

void store(cudaDataType type, std::byte* to, double value) {
  switch (type) {
    case CUDA_R_16F:
      return put(to, __double2half(value));
    case CUDA_R_16BF:
      return put(to, __double2bfloat16(value));
    default:
      return put(to, static_cast<float>(value));
  }
}

}  // namespace vgpu::cublas
