// SPDX-License-Identifier: Apache-2.0
#include "cudart/error.h"

#include <cstdio>

namespace vgpu::cudart {

void say(const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "vgpu: %s\n", text.c_str());
}

void refuse(const std::string& what) {
  say(what + " is not modelled");
  fail(cudaErrorNotSupported);
}

cudaError_t& last_error() {
  thread_local cudaError_t error = cudaSuccess;
  return error;
}

bool& in_host_function() {
  thread_local bool inside = false;
  return inside;
}

}  // namespace vgpu::cudart
