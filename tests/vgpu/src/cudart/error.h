// SPDX-License-Identifier: Apache-2.0
//
// Errors inside the stand-in are exceptions. Only the exported functions convert them to error codes.
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

// Prints one line to stderr that begins with "vgpu: ".
void say(const std::string& text);

// Called for a feature of CUDA that is not modelled: prints its name and fails with cudaErrorNotSupported.
[[noreturn]] void refuse(const std::string& what);

// The body of the functions in refused.txt. Returns a cudaError_t.
int refuse_call(const char* name) noexcept;

// The error that cudaGetLastError reports to this thread.
cudaError_t& last_error();

// True while this thread runs a host function of a stream, in which CUDA calls are forbidden.
bool& in_host_function();

}  // namespace vgpu::cudart
