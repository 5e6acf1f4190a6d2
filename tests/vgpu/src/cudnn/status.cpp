// SPDX-License-Identifier: Apache-2.0
#include "cudnn/status.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cudart/vgpu.h"

namespace vgpu::cudnn {

void say(const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "vgpu: cuDNN: %s\n", text.c_str());
}

void refuse(const std::string& what) {
  say(what + " is not modelled");
  throw Failure{CUDNN_STATUS_NOT_SUPPORTED, what};
}

void find_fault(const std::string& what) {
  say(what);
  std::abort();
}

void may_fail(cudnnStatus_t status) {
  if (vgpu_fails_now() != 0) throw Failure{status, "a test lets this call fail"};
}

std::string& last_error() {
  thread_local std::string text;
  return text;
}

}  // namespace vgpu::cudnn

using namespace vgpu::cudnn;

void cudnnGetLastErrorString(char* message, std::size_t size) {
  if (message == nullptr || size == 0) return;
  const std::size_t length = std::min(size - 1, last_error().size());
  std::memcpy(message, last_error().data(), length);
  message[length] = '\0';
  last_error().clear();
}
