// SPDX-License-Identifier: Apache-2.0
//
// The state spaces that generic addresses refer to. Global memory is below the windows: device allocations are in a
// region that the host cannot access, pinned and managed memory is at its host address. Shared, local and parameter
// addresses are offsets in their space; the generic address is the offset plus the base of the space's window.
#pragma once

#include <cstdint>

#include "ptx/types.h"

namespace vgpu {

constexpr std::uint64_t kWindowSize = std::uint64_t{1} << 32;
constexpr std::uint64_t kSharedWindow = std::uint64_t{1} << 56;
constexpr std::uint64_t kLocalWindow = std::uint64_t{2} << 56;
constexpr std::uint64_t kParamWindow = std::uint64_t{3} << 56;

// Returns the base of the window, or 0 for global and constant memory, whose addresses are generic already.
constexpr std::uint64_t window_of(ptx::Space space) {
  switch (space) {
    case ptx::Space::kShared:
      return kSharedWindow;
    case ptx::Space::kLocal:
      return kLocalWindow;
    case ptx::Space::kParam:
      return kParamWindow;
    default:
      return 0;
  }
}

// Returns the state space of a generic address, which is global if the address is in no window.
constexpr ptx::Space space_of(std::uint64_t generic) {
  if (generic - kSharedWindow < kWindowSize) return ptx::Space::kShared;
  if (generic - kLocalWindow < kWindowSize) return ptx::Space::kLocal;
  if (generic - kParamWindow < kWindowSize) return ptx::Space::kParam;
  return ptx::Space::kGlobal;
}

}  // namespace vgpu
