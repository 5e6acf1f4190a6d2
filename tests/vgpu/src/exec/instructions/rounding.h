// SPDX-License-Identifier: Apache-2.0
//
// The rounding modes of PTX, performed by the host's floating-point unit.
#pragma once

#include <cfenv>
#include <optional>

#include "exec/decode.h"

namespace vgpu {

enum class Rounding : std::uint8_t { kNearestEven, kTowardZero, kDown, kUp };  // the values of Code::flags

// Sets the host's rounding mode for the lifetime of the scope. Compilers assume that the rounding mode never changes,
// and could otherwise move arithmetic out of the scope. They cannot do so if the operands come from memory that the
// calls below could have changed and the results go to memory that these could read. Loads of operands and stores of
// results therefore belong inside the scope.
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

// Takes the next modifier if it is rn, rz, rm or rp followed by this suffix: "" for floating-point results, "i" for
// rounding to a whole number.
inline std::optional<Rounding> take_rounding(Decoder& d, const std::string& suffix = "") {
  for (const auto& [name, rounding] : {std::pair{"rn", Rounding::kNearestEven}, std::pair{"rz", Rounding::kTowardZero},
                                       std::pair{"rm", Rounding::kDown}, std::pair{"rp", Rounding::kUp}})
    if (d.take(name + suffix)) return rounding;
  return std::nullopt;
}

}  // namespace vgpu
