// SPDX-License-Identifier: Apache-2.0
//
// The words by which instructions say how they order memory.
#pragma once

#include "exec/decode.h"

namespace vgpu {

// Takes them, wherever they stand. True: the instruction releases what the thread did before. That others are bound by
// smaller scopes than they might be is not modelled: all see every write at once.
inline bool take_ordering(Decoder& d) {
  for (const char* scope : {"cta", "cluster", "gpu", "sys"})
    if (d.take_any(scope)) break;
  if (d.take_any("release") || d.take_any("acq_rel")) return true;
  if (!d.take_any("relaxed")) d.take_any("acquire");
  return false;
}

}  // namespace vgpu
