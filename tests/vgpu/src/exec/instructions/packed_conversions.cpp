// SPDX-License-Identifier: Apache-2.0
//
// cvt of two values to a packed pair, cvt to tf32, and cvt.pack. The first operand, or the upper half of a single
// packed operand, becomes the upper half of the result.
#include "exec/instructions/by_type.h"
#include "exec/instructions/conversions.h"
#include "exec/instructions/float_rules.h"
#include "exec/instructions/half.h"
#include "exec/instructions/vector_loop.h"

namespace vgpu {
namespace {

using ptx::Type;

template <class Format, bool kRectify, bool kFinite>
typename Format::Bits narrow(double x) {
  double number = rounded<Format>(x);
  if (kFinite) number = std::fabs(number) > Format::kMax ? std::copysign(Format::kMax, number) : number;
  return encoded<Format>(kRectify ? rectified(number) : number);
}

template <class Bits>
auto joined(Bits upper, Bits lower) {
  using Both = std::conditional_t<sizeof(Bits) == 1, std::uint16_t, std::uint32_t>;
  return static_cast<Both>(std::uint32_t{upper} << 8 * sizeof(Bits) | lower);
}

template <class Format, bool kRectify, bool kFinite>
struct OfSingles {
  auto operator()(float upper, float lower) const {
    return joined(narrow<Format, kRectify, kFinite>(double{upper}), narrow<Format, kRectify, kFinite>(double{lower}));
  }
};

template <class Format, bool kRectify>
struct EighthsOfHalves {
  std::uint16_t operator()(std::uint32_t pair) const {
    return OfSingles<Format, kRectify, true>{}(widened<Half>(static_cast<std::uint16_t>(pair >> 16)),
                                               widened<Half>(static_cast<std::uint16_t>(pair)));
  }
};

template <class Format, bool kRectify>
struct HalvesOfEighths {
  std::uint32_t operator()(std::uint16_t pair) const {
    return OfSingles<Half, kRectify, false>{}(widened<Format>(static_cast<std::uint8_t>(pair >> 8)),
                                              widened<Format>(static_cast<std::uint8_t>(pair)));
  }
};

template <bool kRectify, bool kFinite>
struct TensorOfSingle {
  std::uint32_t operator()(float x) const {
    double number = rounded<Tensor32>(double{x});
    if (kFinite) number = std::fabs(number) > Tensor32::kMax ? std::copysign(Tensor32::kMax, number) : number;
    if (kRectify) number = rectified(number);
    return bits_as<std::uint32_t>(canonical(static_cast<float>(number)));
  }
};

// rna rounds ties away from zero. The host has no such mode, so half a unit in the last place is added to the magnitude
// before truncation.
template <bool kFinite>
struct TensorOfSingleAway {
  std::uint32_t operator()(float x) const {
    constexpr std::uint32_t kLost = 0x1fff, kSign = 0x80000000u, kInfinity = 0x7f800000u;
    const auto bits = bits_as<std::uint32_t>(x);
    const std::uint32_t sign = bits & kSign, magnitude = bits ^ sign;
    std::uint32_t number = magnitude < kInfinity ? (magnitude + kLost / 2 + 1) & ~kLost : magnitude;
    if (kFinite) number = number < kInfinity ? number : kInfinity - kLost - 1;
    return magnitude > kInfinity ? FloatLayout<float>::kNan : sign | number;
  }
};

template <class Format>
void decode_pair_of_singles(Decoder& d, const CvtWords& words, Type to) {
  const Handler handler = with_flags(
      [](auto rectify, auto finite) {
        return vector_loop<OfSingles<Format, rectify, finite>, 1, decltype(joined(typename Format::Bits{}, {})), float,
                           float>();
      },
      words.rectify, words.finite);
  set_handler(d, Pipe::kAlu, handler);
  take_operands(d, to, {Type::kF32, Type::kF32});
}

// Conversions to 8-bit formats always round to nearest and saturate to the largest finite value.
template <class Format>
void decode_eighths(Decoder& d, const CvtWords& words, const std::string& to, const std::string& from) {
  if (words.rounding != Rounding::kNearestEven) d.unknown("expected .rn");
  if (to == "f16x2" && !words.finite) {
    set_handler(d, Pipe::kAlu,
                with_flags(
                    [](auto rectify) {
                      return vector_loop<HalvesOfEighths<Format, rectify>, 1, std::uint32_t, std::uint16_t>();
                    },
                    words.rectify));
    take_operands(d, Type::kB32, {Type::kB16});
  } else if (from == "f16x2" && words.finite) {
    set_handler(d, Pipe::kAlu,
                with_flags(
                    [](auto rectify) {
                      return vector_loop<EighthsOfHalves<Format, rectify>, 1, std::uint16_t, std::uint32_t>();
                    },
                    words.rectify));
    take_operands(d, Type::kB16, {Type::kB32});
  } else if (from == "f32" && words.finite) {
    decode_pair_of_singles<Format>(d, words, Type::kB16);
  } else {
    d.unknown();
  }
}

void decode_tensor32(Decoder& d, const CvtWords& words) {
  if (words.away) {
    if (words.rounding || words.rectify) d.unknown();
    set_handler(
        d, Pipe::kAlu,
        with_flags([](auto finite) { return vector_loop<TensorOfSingleAway<finite>, 1, std::uint32_t, float>(); },
                   words.finite));
  } else {
    set_handler(
        d, Pipe::kAlu,
        with_flags([](auto rectify,
                      auto finite) { return vector_loop<TensorOfSingle<rectify, finite>, 1, std::uint32_t, float>(); },
                   words.rectify, words.finite));
  }
  take_operands(d, Type::kB32, {Type::kF32});
}

// ---- cvt.pack -------------------------------------------------------------------------------------------------------

// The clamped integers fill the upper bits of the result; the lower bits are taken from c.
template <int kBits, bool kSigned>
struct PackedIntegers {
  static std::uint32_t clamped(std::int32_t x) {
    constexpr std::int32_t kMost = (1 << (kSigned ? kBits - 1 : kBits)) - 1, kLeast = kSigned ? -kMost - 1 : 0;
    const std::int32_t above = x < kLeast ? kLeast : x;
    return static_cast<std::uint32_t>(above > kMost ? kMost : above) & ((1u << kBits) - 1);
  }
  std::uint32_t operator()(std::int32_t a, std::int32_t b) const { return clamped(a) << kBits | clamped(b); }
  std::uint32_t operator()(std::int32_t a, std::int32_t b, std::uint32_t c) const {
    return c << 2 * kBits | (*this)(a, b);
  }
};

template <int kBits, bool kSigned>
Handler pack_into() {
  return vector_loop<PackedIntegers<kBits, kSigned>, 1, std::uint32_t, std::int32_t, std::int32_t, std::uint32_t>();
}

Handler pack_of_two(const std::string& type) {
  if (type == "u16") return vector_loop<PackedIntegers<16, false>, 1, std::uint32_t, std::int32_t, std::int32_t>();
  if (type == "s16") return vector_loop<PackedIntegers<16, true>, 1, std::uint32_t, std::int32_t, std::int32_t>();
  return nullptr;
}

Handler pack_above(const std::string& type) {
  if (type == "u8") return pack_into<8, false>();
  if (type == "s8") return pack_into<8, true>();
  if (type == "u4") return pack_into<4, false>();
  if (type == "s4") return pack_into<4, true>();
  if (type == "u2") return pack_into<2, false>();
  if (type == "s2") return pack_into<2, true>();
  return nullptr;
}

}  // namespace

bool decode_packed_cvt(Decoder& d, const CvtWords& words, const std::string& to, const std::string& from) {
  const auto either_is = [&](const char* name) { return to == name || from == name; };
  const bool eighths = either_is("e4m3x2") || either_is("e5m2x2");
  if (!eighths && to != "f16x2" && to != "bf16x2" && to != "tf32") return false;

  const bool allowed =
      words.rounding == Rounding::kNearestEven || words.rounding == Rounding::kTowardZero || words.away;
  if (!allowed || words.whole || words.flush || words.saturate || (words.away && to != "tf32")) d.unknown();
  d.code().flags = static_cast<std::uint8_t>(words.rounding.value_or(Rounding::kNearestEven));
  if (either_is("e4m3x2")) {
    decode_eighths<E4m3>(d, words, to, from);
  } else if (eighths) {
    decode_eighths<E5m2>(d, words, to, from);
  } else if (from != "f32") {
    d.unknown();
  } else if (to == "f16x2") {
    decode_pair_of_singles<Half>(d, words, Type::kB32);
  } else if (to == "bf16x2") {
    decode_pair_of_singles<Brain>(d, words, Type::kB32);
  } else {
    decode_tensor32(d, words);
  }
  return true;
}

void decode_cvt_pack(Decoder& d) {
  if (!d.take("sat")) d.unknown("expected .sat");
  const std::string type = d.take_word();
  if (!d.take("s32")) d.unknown("expected .s32");
  if (d.take("b32")) {
    set_handler(d, Pipe::kAlu, pack_above(type));
    take_operands(d, Type::kB32, {Type::kS32, Type::kS32, Type::kB32});
  } else {
    set_handler(d, Pipe::kAlu, pack_of_two(type));
    take_operands(d, Type::kB32, {Type::kS32, Type::kS32});
  }
}

}  // namespace vgpu
