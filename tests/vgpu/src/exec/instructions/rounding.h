// SPDX-License-Identifier: Apache-2.0
//
// The rounding modes of PTX, carried out by the host's floating-point unit.
#pragma once

#include <cfenv>
#include <optional>

#include "exec/decode.h"

namespace vgpu {

enum class Rounding : std::uint8_t { kNearestEven, kTowardZero, kDown, kUp };  // also the value of Code::flags

// The host rounds in this mode while the scope lives. Compilers assume that the mode never changes, yet cannot move
// arithmetic out of the scope: what is computed here must come from memory that the calls below could have changed, and
// go to memory that they could read. So loads of operands and stores of results belong inside.
class RoundingScope {
 public:
  explicit RoundingScope(Rounding rounding) : changed_(rounding != Rounding::kNearestEven) {
    static constexpr int kModes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
    if (changed_) std::fesetround(kModes[static_cast<std::size_t>(rounding)]);
  }
  ~RoundingScope() {
    if (changed_) std::fesetround(FE_TONEAREST);
  }
  RoundingScope(const RoundingScope&) = delete;
  RoundingScope& operator=(const RoundingScope&) = delete;

 private:
  bool changed_;
};

// The next word, where it is one of rn, rz, rm, rp with this suffix: "" of a floating result, "i" of an integral one.
inline std::optional<Rounding> take_rounding(Decoder& d, const std::string& suffix = "") {
  for (const auto& [name, rounding] : {std::pair{"rn", Rounding::kNearestEven}, std::pair{"rz", Rounding::kTowardZero},
                                       std::pair{"rm", Rounding::kDown}, std::pair{"rp", Rounding::kUp}})
    if (d.take(name + suffix)) return rounding;
  return std::nullopt;
}

}  // namespace vgpu
