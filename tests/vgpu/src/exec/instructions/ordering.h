// SPDX-License-Identifier: Apache-2.0
//
// The modifiers that say how an instruction orders memory.
#pragma once

#include "exec/decode.h"

namespace vgpu {

// Takes the modifiers at any position. Returns true if the instruction releases. Scopes are accepted and ignored, since
// every write is visible to all threads at once.
inline bool take_ordering(Decoder& d) {
  for (const char* scope : {"cta", "cluster", "gpu", "sys"})
    if (d.take_any(scope)) break;
  if (d.take_any("release") || d.take_any("acq_rel")) return true;
  if (!d.take_any("relaxed")) d.take_any("acquire");
  return false;
}

}  // namespace vgpu
