// SPDX-License-Identifier: Apache-2.0
//
// shl, shr, shf and prmt: shifts, and permutations of bytes.
#include <algorithm>
#include <array>

#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"
#include "exec/instructions/integer_arithmetic.h"

namespace vgpu {
namespace {

using ptx::Type;

struct ShiftLeft {
  template <class T>
  T operator()(T a, std::uint32_t by) const {
    return by < 8 * sizeof(T) ? static_cast<T>(static_cast<Word<T>>(a) << by) : T{0};
  }
};

struct ShiftRight {
  template <class T>
  T operator()(T a, std::uint32_t by) const {
    constexpr std::uint32_t kLast = 8 * sizeof(T) - 1;
    if constexpr (std::is_signed_v<T>) return static_cast<T>(a >> std::min(by, kLast));
    return by <= kLast ? static_cast<T>(a >> by) : T{0};
  }
};

template <class F>
struct Shift {
  template <class T>
  Handler operator()(T) const {
    return map_handler<F, T, T, std::uint32_t>;
  }
};

void decode_shl(Decoder& d) {
  const Type type = d.take_type();
  take_operands(d, type, {type, Type::kU32});
  set_handler(d, Pipe::kAlu, for_bits(type, Shift<ShiftLeft>{}));
}

void decode_shr(Decoder& d) {
  const Type type = d.take_type();
  take_operands(d, type, {type, Type::kU32});
  const Handler of_bits = for_bits(type, Shift<ShiftRight>{});
  set_handler(d, Pipe::kAlu, of_bits != nullptr ? of_bits : for_integers(type, Shift<ShiftRight>{}));
}

// Shifts the 64-bit value {b, a}: shf.l returns the upper word after a left shift, shf.r the lower word after a right
// shift.
template <bool left, bool clamps>
struct FunnelShift {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b, std::uint32_t by) const {
    const std::uint64_t both = std::uint64_t{b} << 32 | a;
    const std::uint32_t count = clamps ? std::min(by, 32u) : by & 31;
    return static_cast<std::uint32_t>(left ? both << count >> 32 : both >> count);
  }
};

template <bool left>
Handler funnel(bool clamps) {
  using U = std::uint32_t;
  return clamps ? map_handler<FunnelShift<left, true>, U, U, U, U> : map_handler<FunnelShift<left, false>, U, U, U, U>;
}

void decode_shf(Decoder& d) {
  const std::string direction = d.take_word();
  const std::string mode = d.take_word();
  if ((direction != "l" && direction != "r") || (mode != "clamp" && mode != "wrap") || !d.take("b32")) d.unknown();
  take_operands(d, Type::kB32, {Type::kB32, Type::kB32, Type::kU32});
  set_handler(d, Pipe::kAlu, direction == "l" ? funnel<true>(mode == "clamp") : funnel<false>(mode == "clamp"));
}

// Each of the selector's four 4-bit fields selects a byte of {b, a}. If the most significant bit of a field is set, the
// sign of that byte is replicated instead.
struct Permute {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b, std::uint32_t selector) const {
    const std::uint64_t both = std::uint64_t{b} << 32 | a;
    std::uint32_t out = 0;
    for (unsigned i = 0; i < 4; ++i) {
      const std::uint32_t digit = selector >> 4 * i & 15;
      const std::uint32_t byte = both >> 8 * (digit & 7) & 0xff;
      const std::uint32_t sign = (0 - (byte >> 7)) & 0xff;
      out |= ((digit & 8) != 0 ? sign : byte) << 8 * i;
    }
    return out;
  }
};

// Most selectors are immediates. The loop is faster if the selector is the same in all lanes.
void run_prmt_constant(Warp& warp, const Code& code) {
  using U = std::uint32_t;
  const U selector = warp.lanes<U>(code.operands[3])[0];
  map_lanes<U, U, U>(warp, code, [&](U a, U b) { return Permute{}(a, b, selector); });
}

// The selectors of a prmt mode; the two least significant bits of c choose among them.
struct PermuteMode {
  const char* name;
  std::array<std::uint16_t, 4> selectors;
};
constexpr std::array<PermuteMode, 6> kPermuteModes = {{
    {"f4e", {0x3210, 0x4321, 0x5432, 0x6543}},   // forward 4 extract
    {"b4e", {0x5670, 0x6701, 0x7012, 0x0123}},   // backward 4 extract
    {"rc8", {0x0000, 0x1111, 0x2222, 0x3333}},   // replicate 8
    {"ecl", {0x3210, 0x3211, 0x3222, 0x3333}},   // edge clamp left
    {"ecr", {0x0000, 0x1110, 0x2210, 0x3210}},   // edge clamp right
    {"rc16", {0x1010, 0x3232, 0x1010, 0x3232}},  // replicate 16
}};

void run_prmt_mode(Warp& warp, const Code& code) {
  const auto& selectors = kPermuteModes[code.flags].selectors;
  using U = std::uint32_t;
  map_lanes<U, U, U, U>(warp, code, [&](U a, U b, U c) { return Permute{}(a, b, selectors[c & 3]); });
}

void decode_prmt(Decoder& d) {
  using U = std::uint32_t;
  if (!d.take("b32")) d.unknown();
  take_operands(d, Type::kB32, {Type::kB32, Type::kB32, Type::kB32});
  const bool constant = d.operand(3).kind == ptx::Operand::Kind::kImmediate;
  Handler handler = constant ? run_prmt_constant : map_handler<Permute, U, U, U, U>;
  for (std::size_t mode = 0; mode < kPermuteModes.size(); ++mode) {
    if (!d.take(kPermuteModes[mode].name)) continue;
    d.code().flags = static_cast<std::uint8_t>(mode);
    handler = run_prmt_mode;
  }
  set_handler(d, Pipe::kAlu, handler);
}

}  // namespace

void add_shifts(InstructionTable& table) {
  table["shl"] = decode_shl;
  table["shr"] = decode_shr;
  table["shf"] = decode_shf;
  table["prmt"] = decode_prmt;
}

}  // namespace vgpu
