// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "attn_cuda/attn_cuda.h"

namespace attn::internal {

inline std::size_t element_bytes(attn_dtype_t dtype) { return dtype == ATTN_DTYPE_FP32 ? 4 : 2; }

}  // namespace attn::internal
