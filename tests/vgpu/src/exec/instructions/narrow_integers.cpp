// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic on parts of registers: 24-bit integers (mul24, mad24), bytes and half words (dp4a, dp2a, vabsdiff4); and
// sad.
#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"
#include "exec/instructions/integer_arithmetic.h"

namespace vgpu {
namespace {

using ptx::Type;

// Returns the lowest 24 bits. If T is signed, they are sign-extended.
template <class T>
T low24(T a) {
  return static_cast<T>(static_cast<T>(static_cast<std::uint32_t>(a) << 8) >> 8);
}

struct Mul24Low {
  template <class T>
  T operator()(T a, T b) const {
    return MulLow{}(low24(a), low24(b));
  }
};

// The upper 32 bits of the 48-bit product.
struct Mul24High {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(MulWide{}(low24(a), low24(b)) >> 16);
  }
};

struct Mad24HighSaturated {
  std::int32_t operator()(std::int32_t a, std::int32_t b, std::int32_t c) const {
    return clamped(std::int64_t{Mul24High{}(a, b)} + c);
  }
};

template <class F>
Handler binary32(Type type) {
  return ptx::size_of(type) == 4 ? for_integers(type, Binary<F>{}) : nullptr;
}

template <class F>
Handler ternary32(Type type) {
  return ptx::size_of(type) == 4 ? for_integers(type, Ternary<F>{}) : nullptr;
}

void decode_mul24(Decoder& d) {
  const std::string part = d.take_word();
  const Type type = d.take_type();
  take_operands(d, type, {type, type});
  Handler handler = nullptr;
  if (part == "lo") handler = binary32<Mul24Low>(type);
  if (part == "hi") handler = binary32<Mul24High>(type);
  set_handler(d, Pipe::kFma, handler);
}

void decode_mad24(Decoder& d) {
  const std::string part = d.take_word();
  const bool saturates = d.take("sat");
  const Type type = d.take_type();
  take_operands(d, type, {type, type, type});
  Handler handler = nullptr;
  if (part == "lo") handler = ternary32<MulAdd<Mul24Low>>(type);
  if (part == "hi") handler = ternary32<MulAdd<Mul24High>>(type);
  if (saturates) {
    if (part != "hi" || type != Type::kS32) d.unknown();
    handler = map_handler<Mad24HighSaturated, std::int32_t, std::int32_t, std::int32_t, std::int32_t>;
  }
  set_handler(d, Pipe::kFma, handler);
}

struct SumOfDifference {
  template <class T>
  T operator()(T a, T b, T c) const {
    return Add{}(AbsoluteDifference{}(a, b), c);
  }
};

void decode_sad(Decoder& d) {
  const Type type = d.take_type();
  take_operands(d, type, {type, type, type});
  set_handler(d, Pipe::kAlu, for_integers(type, Ternary<SumOfDifference>{}));
}

// Returns the i-th Part of a register.
template <class Part>
std::int32_t part(std::uint32_t word, unsigned i) {
  return static_cast<Part>(word >> 8 * sizeof(Part) * i);
}

// Adds to c the products of the parts of a with the bytes of b, starting at byte `first`.
template <class A, class B, unsigned first>
struct DotProduct {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b, std::uint32_t c) const {
    for (unsigned i = 0; i < 4 / sizeof(A); ++i) c += static_cast<std::uint32_t>(part<A>(a, i) * part<B>(b, first + i));
    return c;
  }
};

template <class A, class B, unsigned first>
Handler dot_handler() {
  using U = std::uint32_t;
  return map_handler<DotProduct<A, B, first>, U, U, U, U>;
}

template <class UnsignedA, class SignedA, unsigned first>
void decode_dot(Decoder& d) {
  const Type a = d.take_type();
  const Type b = d.take_type();
  take_operands(d, Type::kB32, {Type::kB32, Type::kB32, Type::kB32});
  if ((a != Type::kU32 && a != Type::kS32) || (b != Type::kU32 && b != Type::kS32)) d.unknown();
  const bool b_signed = b == Type::kS32;
  const Handler of_unsigned =
      b_signed ? dot_handler<UnsignedA, std::int8_t, first>() : dot_handler<UnsignedA, std::uint8_t, first>();
  const Handler of_signed =
      b_signed ? dot_handler<SignedA, std::int8_t, first>() : dot_handler<SignedA, std::uint8_t, first>();
  set_handler(d, Pipe::kFma, a == Type::kS32 ? of_signed : of_unsigned);
}

void decode_dp4a(Decoder& d) { decode_dot<std::uint8_t, std::int8_t, 0>(d); }

void decode_dp2a(Decoder& d) {
  const std::string half = d.take_word();
  if (half != "lo" && half != "hi") d.unknown();
  if (half == "lo") {
    decode_dot<std::uint16_t, std::int16_t, 0>(d);
  } else {
    decode_dot<std::uint16_t, std::int16_t, 2>(d);
  }
}

template <class Byte>
struct ByteDifferences {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b, std::uint32_t) const {
    std::uint32_t out = 0;
    for (unsigned i = 0; i < 4; ++i) {
      const std::int32_t difference = AbsoluteDifference{}(part<Byte>(a, i), part<Byte>(b, i));
      out |= static_cast<std::uint32_t>(difference & 0xff) << 8 * i;
    }
    return out;
  }
};

template <class Byte>
struct SumOfByteDifferences {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b, std::uint32_t c) const {
    for (unsigned i = 0; i < 4; ++i)
      c += static_cast<std::uint32_t>(AbsoluteDifference{}(part<Byte>(a, i), part<Byte>(b, i)));
    return c;
  }
};

template <template <class> class F>
Handler differences(bool is_signed) {
  using U = std::uint32_t;
  return is_signed ? map_handler<F<std::int8_t>, U, U, U, U> : map_handler<F<std::uint8_t>, U, U, U, U>;
}

// Only the form of vabsdiff4 that nvcc emits is supported, with all bytes selected in order. Without .add it ignores c.
void decode_vabsdiff4(Decoder& d) {
  const bool to_unsigned = d.take_type() == Type::kU32;
  const Type a = d.take_type();
  const Type b = d.take_type();
  if (!to_unsigned || a != b || (a != Type::kU32 && a != Type::kS32)) d.unknown();
  const bool adds = d.take("add");
  take_operands(d, Type::kB32, {Type::kB32, Type::kB32, Type::kB32});
  const bool is_signed = a == Type::kS32;
  set_handler(d, Pipe::kAlu,
              adds ? differences<SumOfByteDifferences>(is_signed) : differences<ByteDifferences>(is_signed));
}

}  // namespace

void add_narrow_integers(InstructionTable& table) {
  table["mul24"] = decode_mul24;
  table["mad24"] = decode_mad24;
  table["sad"] = decode_sad;
  table["dp4a"] = decode_dp4a;
  table["dp2a"] = decode_dp2a;
  table["vabsdiff4"] = decode_vabsdiff4;
}

}  // namespace vgpu
