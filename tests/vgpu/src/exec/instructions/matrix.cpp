// SPDX-License-Identifier: Apache-2.0
#include "exec/instructions/matrix.h"

#include <algorithm>
#include <cstdio>
#include <limits>

#include "exec/instructions/float_rules.h"
#include "exec/instructions/half.h"

namespace vgpu {
namespace {

using ptx::Type;

// ---- elements -------------------------------------------------------------------------------------------------------

template <class Format>
struct Narrow {
  using Bits = typename Format::Bits;
  static double value(Bits bits) { return widened<Format>(bits); }
  static Bits bits(double value, bool) { return encoded<Format>(rounded<Format>(value)); }
};

// tf32: the lower 13 bits of the register are ignored, as on a GPU. A NaN that differs from infinity only in these bits
// therefore reads as infinity.
struct Tensor {
  using Bits = std::uint32_t;
  static double value(Bits bits) { return bits_as<float>(bits & 0xffffe000u); }
  static Bits bits(double value, bool) { return bits_as<Bits>(static_cast<float>(value)); }
};

struct Float {
  using Bits = std::uint32_t;
  static double value(Bits bits) { return bits_as<float>(bits); }
  static Bits bits(double value, bool) { return bits_as<Bits>(canonical(static_cast<float>(value))); }
};

struct Double {
  using Bits = std::uint64_t;
  static double value(Bits bits) { return bits_as<double>(bits); }
  static Bits bits(double value, bool) { return bits_as<Bits>(canonical(value)); }
};

template <class T>
struct Integer {
  using Bits = std::make_unsigned_t<T>;
  static double value(Bits bits) { return static_cast<T>(bits); }
  static Bits bits(double value, bool saturates) {
    using Limits = std::numeric_limits<T>;
    if (saturates) value = std::clamp<double>(value, Limits::min(), Limits::max());
    return static_cast<Bits>(static_cast<std::int64_t>(value));
  }
};

template <class F>
bool visit_element(Type type, F f) {
  switch (type) {
    case Type::kF16:
      f(Narrow<Half>{});
      return true;
    case Type::kBF16:
      f(Narrow<Brain>{});
      return true;
    case Type::kTF32:
      f(Tensor{});
      return true;
    case Type::kF32:
      f(Float{});
      return true;
    case Type::kF64:
      f(Double{});
      return true;
    case Type::kS8:
      f(Integer<std::int8_t>{});
      return true;
    case Type::kU8:
      f(Integer<std::uint8_t>{});
      return true;
    case Type::kS32:
      f(Integer<std::int32_t>{});
      return true;
    default:
      return false;
  }
}

// ---- layouts --------------------------------------------------------------------------------------------------------

// Four lanes share a row of A and a column of B, so the 32 lanes cover eight rows or columns at a time. A register
// holds `per` elements that are adjacent along k.
std::size_t place_of(Role role, const Fragment& fragment, std::size_t reg, std::size_t lane, std::size_t element) {
  const std::size_t per = fragment.per_register();
  const std::size_t group = lane / 4, member = lane % 4;
  switch (role) {
    case Role::kA: {
      const std::size_t tall = fragment.rows == 16 ? 1 : 0;
      return (group + 8 * (reg & tall)) * fragment.columns + (4 * (reg >> tall) + member) * per + element;
    }
    case Role::kB:
      return ((4 * reg + member) * per + element) * fragment.columns + group;
    case Role::kC: {
      const std::size_t index = reg * per + element;
      return (group + 8 * (index / 2)) * fragment.columns + 2 * member + index % 2;
    }
    default:
      return ((kLanes * reg + lane) * per + element) % fragment.size();
  }
}

}  // namespace

Fragment fragment_of(Decoder& d, Type type, unsigned rows, unsigned columns) {
  if (!visit_element(type, [](auto) {})) d.unknown("a matrix of another type");
  Fragment fragment;
  fragment.type = type;
  fragment.rows = rows;
  fragment.columns = columns;
  if (type == Type::kF64) fragment.register_bytes = 8;
  return fragment;
}

void take_registers(Decoder& d, const ptx::Operand& vector, bool writes, Role role, Fragment& fragment) {
  const std::vector<ptx::Operand> one{vector};
  const Type type = fragment.register_bytes == 8 ? Type::kB64 : Type::kB32;
  for (const ptx::Operand& operand : vector.kind == ptx::Operand::Kind::kVector ? vector.elements : one) {
    if (operand.kind == ptx::Operand::Kind::kImmediate) d.unknown("expected registers");
    fragment.registers.push_back(writes ? d.output(operand, type) : d.input(operand, type));
  }
  const std::size_t room = fragment.registers.size() * kLanes * fragment.per_register();
  if (room == 0 || room % fragment.size() != 0 || (role != Role::kOpaque && room != fragment.size()))
    d.unknown("another number of registers");
  for (std::size_t reg = 0; reg < fragment.registers.size(); ++reg)
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      for (std::size_t element = 0; element < fragment.per_register(); ++element)
        fragment.places.push_back(static_cast<std::uint16_t>(place_of(role, fragment, reg, lane, element)));
}

void read_fragment(Warp& warp, const Fragment& fragment, double* matrix) {
  visit_element(fragment.type, [&](auto kind) {
    using Element = decltype(kind);
    const std::uint16_t* place = fragment.places.data();
    for (const Slot slot : fragment.registers) {
      const auto* bits = warp.lanes<typename Element::Bits>(slot);
      for (std::size_t i = 0; i < kLanes * fragment.per_register(); ++i) matrix[*place++] = Element::value(bits[i]);
    }
  });
}

void write_fragment(Warp& warp, const Fragment& fragment, const double* matrix) {
  visit_element(fragment.type, [&](auto kind) {
    using Element = decltype(kind);
    const std::uint16_t* place = fragment.places.data();
    for (const Slot slot : fragment.registers) {
      auto* bits = warp.lanes<typename Element::Bits>(slot);
      for (std::size_t i = 0; i < kLanes * fragment.per_register(); ++i)
        bits[i] = Element::bits(matrix[*place++], fragment.saturates);
    }
  });
}

Shape take_shape(Decoder& d) {
  Shape shape{};
  const std::string word = d.take_word();
  char rest = 0;
  if (std::sscanf(word.c_str(), "m%un%uk%u%c", &shape.m, &shape.n, &shape.k, &rest) != 3) d.unknown("expected a shape");
  return shape;
}

}  // namespace vgpu
