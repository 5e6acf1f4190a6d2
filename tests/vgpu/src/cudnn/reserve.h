// SPDX-License-Identifier: Apache-2.0
//
// The reserve space, which forward fills for backward data and backward data updates for backward weights. Its header
// records the problem it belongs to, the calls made so far, and a checksum, so that a call out of order or a
// modification is detected.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cudnn/problem.h"

namespace vgpu::cudnn {

// The order of the calls on one reserve space. Backward weights does not modify it and may be repeated.
enum class Phase : std::uint64_t { kForwardDone = 1, kDataDone = 2 };

struct Reserve {
  Phase phase;
  DropoutMask mask;
  std::uint64_t has_h, has_c;  // whether forward was given initial states
  std::vector<double> tape;

  void store(const Problem& problem, void* address) const;

  // Ends the process if `call` is out of order or the contents were modified.
  static Reserve load(const Problem& problem, const void* address, Phase expected, const std::string& call);
};

}  // namespace vgpu::cudnn
