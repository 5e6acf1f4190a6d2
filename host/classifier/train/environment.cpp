// SPDX-License-Identifier: Apache-2.0
#include "classifier/train/environment.h"

#include <fmt/format.h>

#include "attn_cuda/encoder.h"
#include "classifier/train/json.h"

namespace attn::classifier {

Environment Environment::of(const Handle& handle) {
  return {attn_version(), handle.backend() == ATTN_BACKEND_CUDA ? "cuda" : "cpu", handle.threads(), attn_cpu_target(),
          attn_encoder_libraries(handle.get())};
}

std::vector<std::string> Environment::differences(const Environment& now) const {
  const nlohmann::json then = *this;
  const nlohmann::json current = now;
  std::vector<std::string> lines;
  for (const auto& [key, value] : then.items())
    if (value != current.at(key))
      lines.push_back(fmt::format("{}: {} then, {} now", key, value.dump(), current.at(key).dump()));
  return lines;
}

}  // namespace attn::classifier
