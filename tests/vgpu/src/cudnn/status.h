// SPDX-License-Identifier: Apache-2.0
//
// Errors inside the stand-in are exceptions; they become statuses at the exported functions, and nowhere else.
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

// One line on stderr, marked as the virtual GPU's.
void say(const std::string& text);

// For what cuDNN offers and the stand-in has not: says so and fails.
[[noreturn]] void refuse(const std::string& what);

// For what shows only when work runs, where no status can tell: says so and ends the process.
[[noreturn]] void find_fault(const std::string& what);

// Lets the call fail if a test wants it to.
void may_fail(cudnnStatus_t status);

// What cudnnGetLastErrorString will tell this thread.
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
