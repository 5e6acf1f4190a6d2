// SPDX-License-Identifier: Apache-2.0
//
// The trainer reports errors and checks arguments as the libraries do.
#pragma once

#include "base/failure.h"
#include "base/validate.h"

namespace attn::classifier {

using internal::element_count;
using internal::Failure;
using internal::reject;
using internal::require_size;

}  // namespace attn::classifier
