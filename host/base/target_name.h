// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace attn::internal {

// The usual name of an instruction set that Highway names in its own way, such as "AVX-512" for "AVX3".
inline std::string usual_target_name(const std::string& name) {
  const std::string theirs = "AVX3";
  if (name.compare(0, theirs.size(), theirs) != 0) return name;
  const std::string generation = name.substr(theirs.size());
  if (generation.empty()) return "AVX-512";
  return "AVX-512 (" +
         (generation == "_DL"     ? std::string("Ice Lake")
          : generation == "_ZEN4" ? std::string("Zen 4")
          : generation == "_SPR"  ? std::string("Sapphire Rapids")
                                  : generation.substr(1)) +
         ")";
}

}  // namespace attn::internal
