// SPDX-License-Identifier: Apache-2.0
//
// Errors inside the stand-in are exceptions; they become codes at the exported functions, and nowhere else.
#pragma once

#include <string>

#include "cudart/cuda_api.h"

namespace vgpu::cudart {

struct Failure {
  cudaError_t code;
};

[[noreturn]] inline void fail(cudaError_t code) { throw Failure{code}; }

inline void require(bool holds, cudaError_t otherwise = cudaErrorInvalidValue) {
  if (!holds) fail(otherwise);
}

// One line on stderr, marked as the virtual GPU's.
void say(const std::string& text);

// For what CUDA offers and the virtual GPU has no model of: says so and fails with cudaErrorNotSupported.
[[noreturn]] void refuse(const std::string& what);

// All that a function does which CUDA exports and the virtual GPU does not have; a cudaError_t.
int refuse_call(const char* name) noexcept;

// The error that cudaGetLastError will report to this thread.
cudaError_t& last_error();

// True while this thread runs a host function of a stream, where CUDA forbids calls.
bool& in_host_function();

}  // namespace vgpu::cudart
