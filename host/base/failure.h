// SPDX-License-Identifier: Apache-2.0
//
// Error handling: internal code throws Failure; the C boundary turns every exception into a status and a message.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <utility>

#include "attn_cuda/attn_cuda.h"

namespace attn::internal {

class Failure : public std::exception {
 public:
  Failure(attn_status_t status, std::string message) : status_(status), message_(std::move(message)) {}
  attn_status_t status() const noexcept { return status_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  attn_status_t status_;
  std::string message_;
};

// Runs `body` at the C boundary. No exception escapes.
template <class Body>
attn_status_t guarded(Body&& body) noexcept {
  try {
    body();
    return ATTN_SUCCESS;
  } catch (const Failure& failure) {
    return attn_report_error(failure.status(), failure.what());
  } catch (const std::bad_alloc&) {
    return attn_report_error(ATTN_OUT_OF_MEMORY, "out of host memory");
  } catch (const std::exception& error) {
    return attn_report_error(ATTN_INTERNAL_ERROR, error.what());
  } catch (...) {
    return attn_report_error(ATTN_INTERNAL_ERROR, "unknown exception");
  }
}

}  // namespace attn::internal
