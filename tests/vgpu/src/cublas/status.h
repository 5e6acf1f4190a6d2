// SPDX-License-Identifier: Apache-2.0
//
// Errors inside the stand-ins are exceptions. Only the exported functions convert them to status codes.
#pragma once

#include <new>
#include <string>

#include "cublas/api.h"
#include "cudart/vgpu.h"

namespace vgpu::cublas {

struct Failure {
  cublasStatus_t status;
};

[[noreturn]] inline void fail(cublasStatus_t status) { throw Failure{status}; }

inline void require(bool holds, cublasStatus_t otherwise = CUBLAS_STATUS_INVALID_VALUE) {
  if (!holds) fail(otherwise);
}

// Called for a feature that the stand-in lacks: prints its name and fails with CUBLAS_STATUS_NOT_SUPPORTED.
[[noreturn]] void refuse(const std::string& what);

// Runs the body of an exported function.
template <class Body>
cublasStatus_t call(const Body& body) noexcept {
  try {
    body();
    return CUBLAS_STATUS_SUCCESS;
  } catch (const Failure& failure) {
    return failure.status;
  } catch (const std::bad_alloc&) {
    return CUBLAS_STATUS_ALLOC_FAILED;
  }
}

// The same for functions that can fail without an error of the program: returns the status if vgpu_fail_call() has
// selected this call.
template <class Body>
cublasStatus_t fallible_call(cublasStatus_t status, const Body& body) noexcept {
  return call([&] {
    require(vgpu_fails_now() == 0, status);
    body();
  });
}

// Return the name and text of a status, which both libraries export under names of their own.
const char* name_of(cublasStatus_t status);
const char* words_of(cublasStatus_t status);
void get_property(libraryPropertyType type, int* value);

}  // namespace vgpu::cublas
