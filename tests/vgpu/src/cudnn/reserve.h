// SPDX-License-Identifier: Apache-2.0
//
// The reserve space: what forward leaves for backward data, and backward data for backward weights. It says of itself what it
// belongs to and how far things are, and has a checksum, so that a call out of turn or a change in between is found.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cudnn/problem.h"

namespace vgpu::cudnn {

// The order of the calls on one reserve. Backward weights changes nothing and may be repeated.
enum class Phase : std::uint64_t { kForwardDone = 1, kDataDone = 2 };

struct Reserve {
  Phase phase;
  DropoutMask mask;
  std::uint64_t has_h, has_c;  // whether forward was given first states
  std::vector<double> tape;

  void store(const Problem& problem, void* address) const;

  // Ends the process where `call` may not be made on what is there.
  static Reserve load(const Problem& problem, const void* address, Phase expected, const std::string& call);
};

}  // namespace vgpu::cudnn
