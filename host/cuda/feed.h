// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/backend.h"

namespace attn::internal::cuda {

// Pinned host memory and device memory for `count` slots of `bytes` each, a multiple of 64, and a stream for the
// copies.
std::unique_ptr<FeedSlots> make_feed(std::size_t bytes, int count);

}  // namespace attn::internal::cuda
