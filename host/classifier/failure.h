// SPDX-License-Identifier: Apache-2.0
//
// The trainer reports errors and checks arguments as the libraries do.
#pragma once

#include <string>

#include "base/failure.h"
#include "base/validate.h"

namespace attn::classifier {

using internal::element_count;
using internal::Failure;
using internal::reject;
using internal::require_range;
using internal::require_size;

// Rejects a file or an entry of it, where `reason` reads "expected <rule>, got <value>".
[[noreturn]] inline void refuse(const std::string& where, const std::string& reason) {
  throw Failure(ATTN_INVALID_ARGUMENT, where + ": " + reason);
}

}  // namespace attn::classifier
