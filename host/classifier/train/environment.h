// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "attn_cuda/attn_cuda.hpp"

namespace attn::classifier {

// Everything besides data and settings that the bits of a training run depend on.
struct Environment {
  std::string version;  // of this library
  std::string backend;  // "cpu" or "cuda"
  int threads = 0;
  std::string target;     // instruction set of the CPU loops
  std::string libraries;  // vendor libraries and their versions

  static Environment of(const Handle& handle);

  // One line per difference, such as "threads: 2 then, 4 now".
  std::vector<std::string> differences(const Environment& now) const;
};

}  // namespace attn::classifier
