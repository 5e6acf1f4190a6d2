// SPDX-License-Identifier: Apache-2.0
//
// Errors of earlier calls.
#include "cudart/error_words.h"
#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

// After a fault, every call returns its error, including these calls. Only a reset of the device clears it.
cudaError_t fault_of_device() {
  Runtime& state = runtime();
  const std::lock_guard<std::mutex> lock(state.mutex);
  return state.engine.fault(current_ordinal());
}

}  // namespace

int refuse_call(const char* name) noexcept {
  return outcome_of([&] { refuse(name); });
}

}  // namespace vgpu::cudart

using namespace vgpu::cudart;

cudaError_t cudaPeekAtLastError() {
  const cudaError_t fault = fault_of_device();
  return fault != cudaSuccess ? fault : last_error();
}

cudaError_t cudaGetLastError() {
  const cudaError_t error = cudaPeekAtLastError();
  last_error() = cudaSuccess;
  return error;
}

const char* cudaGetErrorName(cudaError_t error) { return words_of(error).name; }

const char* cudaGetErrorString(cudaError_t error) { return words_of(error).text; }
