// SPDX-License-Identifier: Apache-2.0
//
// add, sub, mul, mad, div, rem, abs, neg, min and max of integers.
#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"
#include "exec/instructions/integer_arithmetic.h"

namespace vgpu {
namespace {

using ptx::Type;

struct Neg {
  template <class T>
  T operator()(T a) const {
    return Sub{}(T{0}, a);
  }
};

struct Abs {
  template <class T>
  T operator()(T a) const {
    return a < 0 ? Sub{}(T{0}, a) : a;
  }
};

struct AddSaturated {
  std::int32_t operator()(std::int32_t a, std::int32_t b) const { return clamped(std::int64_t{a} + b); }
};

struct SubSaturated {
  std::int32_t operator()(std::int32_t a, std::int32_t b) const { return clamped(std::int64_t{a} - b); }
};

struct MulHighAddSaturated {
  std::int32_t operator()(std::int32_t a, std::int32_t b, std::int32_t c) const {
    return clamped(std::int64_t{MulHigh{}(a, b)} + c);
  }
};

// Applies F to both halves of a register; T is the type of one half.
template <class F, class T>
struct Halves {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b) const {
    const T low = F{}(static_cast<T>(a), static_cast<T>(b));
    const T high = F{}(static_cast<T>(a >> 16), static_cast<T>(b >> 16));
    return static_cast<std::uint16_t>(low) | std::uint32_t{static_cast<std::uint16_t>(high)} << 16;
  }
};

template <class F>
Handler packed(Type type) {
  if (type == Type::kU16x2) return map_handler<Halves<F, std::uint16_t>, std::uint32_t, std::uint32_t, std::uint32_t>;
  if (type == Type::kS16x2) return map_handler<Halves<F, std::int16_t>, std::uint32_t, std::uint32_t, std::uint32_t>;
  return nullptr;
}

template <class F>
Handler any(Type type) {
  const Handler handler = packed<F>(type);
  return handler != nullptr ? handler : for_integers(type, Binary<F>{});
}

template <class F, class Saturated>
void decode_sum(Decoder& d) {
  const bool saturates = d.take("sat");
  const Type type = d.take_type();
  take_operands(d, type, {type, type});
  if (saturates && type != Type::kS32) d.unknown();
  Handler handler = for_integers(type, Binary<F>{});
  if (saturates) handler = map_handler<Saturated, std::int32_t, std::int32_t, std::int32_t>;
  if (std::is_same_v<F, Add> && handler == nullptr) handler = packed<F>(type);
  set_handler(d, Pipe::kAlu, handler);
}

template <class F>
void decode_extreme(Decoder& d) {
  const bool relu_first = d.take("relu");
  const Type type = d.take_type();
  const bool relu = d.take("relu") || relu_first;
  take_operands(d, type, {type, type});
  if (relu && type != Type::kS32 && type != Type::kS16x2) d.unknown();
  set_handler(d, Pipe::kAlu, relu ? any<Relu<F>>(type) : any<F>(type));
}

// On a GPU, div and rem are sequences of instructions, most of which use this pipe.
template <class F>
void decode_quotient(Decoder& d) {
  const Type type = d.take_type();
  take_operands(d, type, {type, type});
  set_handler(d, Pipe::kAlu, for_integers(type, Binary<F>{}));
}

template <class F>
void decode_sign(Decoder& d) {
  const Type type = d.take_type();
  take_operands(d, type, {type});
  if (!ptx::is_signed(type)) d.unknown();
  set_handler(d, Pipe::kAlu, for_integers(type, Unary<F>{}));
}

Type twice(Decoder& d, Type type) {
  switch (type) {
    case Type::kU16:
      return Type::kU32;
    case Type::kS16:
      return Type::kS32;
    case Type::kU32:
      return Type::kU64;
    case Type::kS32:
      return Type::kS64;
    default:
      d.unknown();
  }
}

struct WideProduct {
  template <class T>
  Handler operator()(T) const {
    return map_handler<MulWide, TwiceOf<T>, T, T>;
  }
};

struct WideSum {
  template <class T>
  Handler operator()(T) const {
    return map_handler<MulAdd<MulWide>, TwiceOf<T>, T, T, TwiceOf<T>>;
  }
};

void decode_mul(Decoder& d) {
  const std::string part = d.take_word();
  const Type type = d.take_type();
  const Type result = part == "wide" ? twice(d, type) : type;
  take_operands(d, result, {type, type});
  Handler handler = nullptr;
  if (part == "lo") handler = for_integers(type, Binary<MulLow>{});
  if (part == "hi") handler = for_integers(type, Binary<MulHigh>{});
  if (part == "wide") handler = for_integers(type, WideProduct{});
  set_handler(d, Pipe::kFma, handler);
}

void decode_mad(Decoder& d) {
  const std::string part = d.take_word();
  const bool saturates = d.take("sat");
  const Type type = d.take_type();
  const Type result = part == "wide" ? twice(d, type) : type;
  take_operands(d, result, {type, type, result});
  Handler handler = nullptr;
  if (part == "lo") handler = for_integers(type, Ternary<MulAdd<MulLow>>{});
  if (part == "hi") handler = for_integers(type, Ternary<MulAdd<MulHigh>>{});
  if (part == "wide") handler = for_integers(type, WideSum{});
  if (saturates) {
    if (part != "hi" || type != Type::kS32) d.unknown();
    handler = map_handler<MulHighAddSaturated, std::int32_t, std::int32_t, std::int32_t, std::int32_t>;
  }
  set_handler(d, Pipe::kFma, handler);
}

}  // namespace

void decode_integer_arithmetic(Decoder& d) {
  static const InstructionTable table = {
      {"add", decode_sum<Add, AddSaturated>},
      {"sub", decode_sum<Sub, SubSaturated>},
      {"mul", decode_mul},
      {"mad", decode_mad},
      {"div", decode_quotient<Div>},
      {"rem", decode_quotient<Rem>},
      {"neg", decode_sign<Neg>},
      {"abs", decode_sign<Abs>},
      {"min", decode_extreme<Min>},
      {"max", decode_extreme<Max>},
  };
  const auto found = table.find(d.instruction().opcode);
  if (found == table.end()) d.unknown();
  if (d.instruction().has("cc")) {
    decode_with_carry(d);
  } else {
    found->second(d);
  }
}

}  // namespace vgpu
