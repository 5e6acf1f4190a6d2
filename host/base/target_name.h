// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string_view>

namespace attn::internal {

// The usual name of an instruction set that Highway names in its own way, such as "AVX-512" for "AVX3". `name` and the
// result have static storage.
inline const char* usual_target_name(const char* name) {
  static const std::map<std::string_view, const char*> usual = {{"AVX3", "AVX-512"},
                                                                {"AVX3_DL", "AVX-512 (Ice Lake)"},
                                                                {"AVX3_ZEN4", "AVX-512 (Zen 4)"},
                                                                {"AVX3_SPR", "AVX-512 (Sapphire Rapids)"}};
  const auto found = usual.find(name);
  return found == usual.end() ? name : found->second;
}

}  // namespace attn::internal
