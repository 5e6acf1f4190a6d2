// SPDX-License-Identifier: Apache-2.0
//
// Comparisons of numbers in registers.
#pragma once

#include <functional>
#include <string>

#include "exec/instructions/float_rules.h"
#include "exec/instructions/half.h"
#include "exec/instructions/lanes.h"

namespace vgpu {

// ---- operands: how a number is read from a register -----------------------------------------------------------------

template <class T>
struct Integer {
  using Bits = T;
  static T read(T bits) { return bits; }
};

template <bool flushes>
struct Single32 {
  using Bits = std::uint32_t;
  static float read(Bits bits) { return flushes ? flushed(bits_as<float>(bits)) : bits_as<float>(bits); }
};

struct Double64 {
  using Bits = std::uint64_t;
  static double read(Bits bits) { return bits_as<double>(bits); }
};

// A 16-bit number that begins at bit `shift` of a register.
template <class Format, bool flushes, class Register = std::uint16_t, unsigned shift = 0>
struct Narrow {
  using Bits = Register;
  static float read(Bits bits) {
    auto half = static_cast<std::uint16_t>(bits >> shift);
    constexpr std::uint16_t kExponent = 0x8000 - (1 << (Format::kPrecision - 1));
    if (flushes && (half & kExponent) == 0) half &= 0x8000;
    return widened<Format>(half);
  }
};

// ---- comparison operators -------------------------------------------------------------------------------------------

// In C++, all comparisons with NaN except != are false. The following are the cases that differ: ne is false, and the
// unordered comparisons are true.
struct OrderedNotEqual {
  template <class T>
  bool operator()(T a, T b) const {
    return a < b || a > b;
  }
};
struct BothNumbers {
  template <class T>
  bool operator()(T a, T b) const {
    return a == a && b == b;
  }
};
template <class F>
struct Opposite {
  template <class T>
  bool operator()(T a, T b) const {
    return !F{}(a, b);
  }
};

// Returns the active lanes in which operands 2 and 3 compare as true.
template <class Value, class Compare>
Mask compared(Warp& warp, const Code& code) {
  using Bits = typename Value::Bits;
  return test_lanes<Bits>(warp, code.operands[2], code.operands[3],
                          [](Bits a, Bits b) { return Compare{}(Value::read(a), Value::read(b)); });
}

// ---- lookup by name: Make::of<Compare>() makes the handler, null for an unknown name --------------------------------

template <class Make>
Handler of_bits(const std::string& name) {
  if (name == "eq") return Make::template of<std::equal_to<>>();
  if (name == "ne") return Make::template of<std::not_equal_to<>>();
  return nullptr;
}

template <class Make>
Handler of_order(const std::string& name) {
  if (name == "lt") return Make::template of<std::less<>>();
  if (name == "le") return Make::template of<std::less_equal<>>();
  if (name == "gt") return Make::template of<std::greater<>>();
  if (name == "ge") return Make::template of<std::greater_equal<>>();
  return nullptr;
}

template <class Make>
Handler of_unsigned(std::string name) {
  if (name == "lo") name = "lt";
  if (name == "ls") name = "le";
  if (name == "hi") name = "gt";
  if (name == "hs") name = "ge";
  const Handler handler = of_bits<Make>(name);
  return handler != nullptr ? handler : of_order<Make>(name);
}

template <class Make>
Handler of_signed(const std::string& name) {
  const Handler handler = of_bits<Make>(name);
  return handler != nullptr ? handler : of_order<Make>(name);
}

template <class Make>
Handler of_floats(const std::string& name) {
  if (name == "eq") return Make::template of<std::equal_to<>>();
  if (name == "ne") return Make::template of<OrderedNotEqual>();
  if (name == "equ") return Make::template of<Opposite<OrderedNotEqual>>();
  if (name == "neu") return Make::template of<std::not_equal_to<>>();
  if (name == "ltu") return Make::template of<Opposite<std::greater_equal<>>>();
  if (name == "leu") return Make::template of<Opposite<std::greater<>>>();
  if (name == "gtu") return Make::template of<Opposite<std::less_equal<>>>();
  if (name == "geu") return Make::template of<Opposite<std::less<>>>();
  if (name == "num") return Make::template of<BothNumbers>();
  if (name == "nan") return Make::template of<Opposite<BothNumbers>>();
  return of_order<Make>(name);
}

}  // namespace vgpu
