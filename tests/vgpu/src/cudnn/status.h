// SPDX-License-Identifier: Apache-2.0
//
// Errors inside the stand-in are exceptions. Only the exported functions convert them to status codes.
#pragma once

#include <exception>
#include <new>
#include <string>

#include "cudnn/cudnn_api.h"

namespace vgpu::cudnn {

struct Failure {
  cudnnStatus_t status;
  std::string what;
};

inline void require(bool holds, const char* what, cudnnStatus_t otherwise = CUDNN_STATUS_BAD_PARAM) {
  if (!holds) throw Failure{otherwise, what};
}

// Prints one line to stderr that begins with "vgpu: ".
void say(const std::string& text);

// Called for a feature of cuDNN that the stand-in lacks: prints its name and fails.
[[noreturn]] void refuse(const std::string& what);

// Called for an error that is detected when work runs, when no status can report it: describes it and ends the process.
[[noreturn]] void find_fault(const std::string& what);

// Fails if vgpu_fail_call() has selected this call.
void may_fail(cudnnStatus_t status);

// The text that cudnnGetLastErrorString returns to this thread.
std::string& last_error();

template <typename Body>
cudnnStatus_t outcome_of(Body&& body) noexcept {
  try {
    body();
    return CUDNN_STATUS_SUCCESS;
  } catch (const Failure& failure) {
    last_error() = failure.what;
    return failure.status;
  } catch (const std::bad_alloc&) {
    return CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED;
  }
}

}  // namespace vgpu::cudnn
