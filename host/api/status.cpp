// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "attn_cuda/attn_cuda.h"

namespace {

std::string& last_error() {
  thread_local std::string message;
  return message;
}

}  // namespace

const char* attn_version(void) { return ATTN_VERSION_STRING; }

const char* attn_last_error(void) { return last_error().c_str(); }

const char* attn_status_string(attn_status_t status) {
  switch (status) {
    case ATTN_SUCCESS:
      return "success";
    case ATTN_INVALID_ARGUMENT:
      return "invalid argument";
    case ATTN_UNSUPPORTED:
      return "unsupported";
    case ATTN_OUT_OF_MEMORY:
      return "out of memory";
    case ATTN_CUDA_ERROR:
      return "CUDA error";
    case ATTN_LIBRARY_ERROR:
      return "library error";
    case ATTN_INTERNAL_ERROR:
      return "internal error";
  }
  return "unknown status";
}

attn_status_t attn_report_error(attn_status_t status, const char* message) {
  try {
    last_error() = message != nullptr ? message : "";
  } catch (...) {
    last_error().clear();  // no memory for the message; the status is still returned
  }
  return status;
}
