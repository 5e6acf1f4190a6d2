// SPDX-License-Identifier: Apache-2.0
#include "cudnn/issue.h"

#include <string>

namespace vgpu::cudnn {

std::byte* host(const void* address, std::size_t bytes) {
  void* found = vgpu_bytes(address, bytes);
  if (found == nullptr) find_fault("work touches memory that it has not announced");
  return static_cast<std::byte*>(found);
}

void issue(const cudnnContext& context, const Ranges& ranges, const char* name, void (*run)(void*),
           void (*release)(void*), void* work) {
  const int error = vgpu_issue(context.stream, name, ranges.all().data(), ranges.all().size(), run, release, work);
  if (error != cudaSuccess)
    throw Failure{CUDNN_STATUS_EXECUTION_FAILED_CUDART, cudaGetErrorString(static_cast<cudaError_t>(error))};
}

}  // namespace vgpu::cudnn
