// SPDX-License-Identifier: Apache-2.0
//
// The structs of the encoder library that have grown since their first release.
#pragma once

#include <cstddef>

#include "attn_cuda/recurrent.h"
#include "base/read_struct.h"

namespace attn::internal {

template <>
inline constexpr std::size_t kFirstSize<attn_recurrent_desc_t> = offsetof(attn_recurrent_desc_t, omit_key_bias);

}  // namespace attn::internal
