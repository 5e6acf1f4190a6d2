// SPDX-License-Identifier: Apache-2.0
//
// Argument rules that the encoder has beside those of host/api/validate.h.
#pragma once

#include <cstdint>
#include <string>

#include "api/validate.h"

namespace attn {

inline void require_flag(const char* name, std::int32_t value) {
  if (value != 0 && value != 1) reject(name, "0 or 1", std::to_string(value));
}

inline void require_directions(const char* name, std::int32_t directions) {
  if (directions != 1 && directions != 2) reject(name, "1 or 2", std::to_string(directions));
}

// A reserve of a pass that needs `bytes` of it.
inline void require_reserve(const char* name, const void* reserve, std::size_t bytes) {
  require_pointer(name, reserve, static_cast<std::int64_t>(bytes));
  const std::uintptr_t past = reinterpret_cast<std::uintptr_t>(reserve) % 64;
  if (bytes > 0 && past != 0)
    reject(name, "a pointer aligned to 64 bytes", "one " + std::to_string(past) + " bytes past");
}

inline void require_ids(const char* name, const std::int32_t* ids, std::int64_t N, std::int64_t V) {
  for (std::int64_t n = 0; n < N; ++n)
    if (ids[n] < 0 || ids[n] >= V)
      reject(std::string(name) + "[" + std::to_string(n) + "]", "0 to V - 1 = " + std::to_string(V - 1),
             std::to_string(ids[n]));
}

}  // namespace attn
