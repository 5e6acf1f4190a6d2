// SPDX-License-Identifier: Apache-2.0
//
// Selects the handler for the C++ type that corresponds to an instruction's type, and takes the operands of these
// types. A null handler means that the instruction does not exist for the type; set_handler() rejects it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "exec/instructions/integer_types.h"
#include "exec/instructions/lanes.h"

namespace vgpu {

// Returns f applied to any value of the C++ type.
template <class F>
Handler for_bits(ptx::Type type, F f) {
  switch (type) {
    case ptx::Type::kB16:
      return f(std::uint16_t{});
    case ptx::Type::kB32:
      return f(std::uint32_t{});
    case ptx::Type::kB64:
      return f(std::uint64_t{});
    default:
      return nullptr;
  }
}

// Selects by the size of a register, regardless of its type.
template <class F>
Handler for_size(std::size_t size, F f) {
  switch (size) {
    case 2:
      return f(std::uint16_t{});
    case 4:
      return f(std::uint32_t{});
    case 8:
      return f(std::uint64_t{});
    default:
      return nullptr;
  }
}

// For use with the functions above: handlers of operations T F(T), T F(T, T) and T F(T, T, T).
template <class F>
struct Unary {
  template <class T>
  Handler operator()(T) const {
    return map_handler<F, T, T>;
  }
};
template <class F>
struct Binary {
  template <class T>
  Handler operator()(T) const {
    return map_handler<F, T, T, T>;
  }
};
template <class F>
struct Ternary {
  template <class T>
  Handler operator()(T) const {
    return map_handler<F, T, T, T, T>;
  }
};

inline void set_handler(Decoder& d, Pipe pipe, Handler handler) {
  if (handler == nullptr) d.unknown();
  d.code().pipe = pipe;
  d.code().run = handler;
}

// Takes the destination and then the sources, which have these types.
inline void take_operands(Decoder& d, ptx::Type destination, std::initializer_list<ptx::Type> sources) {
  if (d.operand_count() != sources.size() + 1)
    d.unknown("expected " + std::to_string(sources.size() + 1) + " operands");
  std::size_t next = 0;
  d.code().operands[next] = d.output(next, destination);
  for (const ptx::Type source : sources) {
    ++next;
    d.code().operands[next] = d.input(next, source);
  }
}

}  // namespace vgpu
