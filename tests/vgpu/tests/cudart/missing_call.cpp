// SPDX-License-Identifier: Apache-2.0
//
// A program that refers to calls which the stand-in for the CUDA runtime lacks, and makes one of them on request.
#include <cuda_runtime_api.h>

#include <cstdio>

int main(int count, char**) {
  cudaError_t error = cudaSuccess;
  if (count > 1) error = cudaFreeArray(nullptr);
  if (count > 2) error = cudaIpcCloseMemHandle(nullptr);
  std::puts(cudaGetErrorName(error));
}
