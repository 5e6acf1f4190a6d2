// SPDX-License-Identifier: Apache-2.0
//
// The modifiers of cvt, and its forms that convert several values at once.
#pragma once

#include <optional>
#include <string>

#include "exec/decode.h"
#include "exec/instructions/rounding.h"

namespace vgpu {

struct CvtWords {
  std::optional<Rounding> rounding;
  bool whole = false;     // rni, rzi, rmi, rpi
  bool away = false;      // rna
  bool flush = false;     // ftz
  bool saturate = false;  // sat
  bool rectify = false;   // relu
  bool finite = false;    // satfinite
};

// Decodes conversions to and from f16x2, bf16x2, e4m3x2 and e5m2x2, and to tf32. Returns false if neither type is one
// of these.
bool decode_packed_cvt(Decoder& d, const CvtWords& words, const std::string& to, const std::string& from);

void decode_cvt_pack(Decoder& d);

}  // namespace vgpu
