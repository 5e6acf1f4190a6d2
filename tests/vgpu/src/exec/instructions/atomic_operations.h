// SPDX-License-Identifier: Apache-2.0
//
// The operations of atom, red and cp.reduce as function objects, which compute the new value of a memory location from
// the old one.
#pragma once

#include <string>

#include "exec/instructions/float_rules.h"
#include "exec/instructions/half.h"
#include "exec/instructions/integer_arithmetic.h"
#include "exec/instructions/lanes.h"
#include "exec/instructions/whole_moves.h"

namespace vgpu {

struct Bits128 {
  std::uint64_t low, high;
  bool operator==(const Bits128& other) const { return low == other.low && high == other.high; }
};

// The operands of one lane.
template <class T>
struct Given {
  T b, c;
  bool flushes;  // f32 in global memory: subnormal numbers are flushed to zero
};

// ---- operations -----------------------------------------------------------------------------------------------------

template <class F>
struct Combine {
  template <class T>
  T operator()(T old, const Given<T>& given) const {
    return F{}(old, given.b);
  }
};

struct BitAnd {
  template <class T>
  T operator()(T a, T b) const {
    return a & b;
  }
};
struct BitOr {
  template <class T>
  T operator()(T a, T b) const {
    return a | b;
  }
};
struct BitXor {
  template <class T>
  T operator()(T a, T b) const {
    return a ^ b;
  }
};

struct Exchange {
  template <class T>
  T operator()(T, const Given<T>& given) const {
    return given.b;
  }
};
struct CompareAndSwap {
  template <class T>
  T operator()(T old, const Given<T>& given) const {
    return old == given.b ? given.c : old;
  }
};

// inc and dec: counters that wrap around within 0 to b.
struct Increment {
  std::uint32_t operator()(std::uint32_t old, const Given<std::uint32_t>& given) const {
    return old >= given.b ? 0 : old + 1;
  }
};
struct Decrement {
  std::uint32_t operator()(std::uint32_t old, const Given<std::uint32_t>& given) const {
    return old == 0 || old > given.b ? given.b : old - 1;
  }
};

struct AddSingle {
  std::uint32_t operator()(std::uint32_t old, const Given<std::uint32_t>& given) const {
    const auto a = bits_as<float>(old), b = bits_as<float>(given.b);
    const float sum = given.flushes ? flushed(flushed(a) + flushed(b)) : a + b;
    return bits_as<std::uint32_t>(canonical(sum));
  }
};
struct AddDouble {
  std::uint64_t operator()(std::uint64_t old, const Given<std::uint64_t>& given) const {
    return bits_as<std::uint64_t>(canonical(bits_as<double>(old) + bits_as<double>(given.b)));
  }
};

// Applies F to each 16-bit number of T in double precision. Rounding once more is harmless, since the sum of two such
// numbers is exact in double or far from a tie.
template <class Format, class F>
struct Narrow {
  template <class T>
  T operator()(T old, const Given<T>& given) const {
    T result = 0;
    for (unsigned shift = 0; shift < 8 * sizeof(T); shift += 16) {
      const double a = widened<Format>(static_cast<std::uint16_t>(old >> shift));
      const double b = widened<Format>(static_cast<std::uint16_t>(given.b >> shift));
      result = static_cast<T>(result | static_cast<T>(encoded<Format>(rounded<Format>(F{}(a, b)))) << shift);
    }
    return result;
  }
};

struct Plus {
  double operator()(double a, double b) const { return a + b; }
};
// -0 compares less than +0, and any number is preferred to NaN.
struct Lesser {
  double operator()(double a, double b) const {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) ? b : a;
    return a < b || (a == b && std::signbit(a)) ? a : b;
  }
};
struct Greater {
  double operator()(double a, double b) const { return -Lesser{}(-a, -b); }
};

// ---- lookup by name -------------------------------------------------------------------------------------------------

// Returns visit(T{}, F{}) for the operation F with this name and type, where T is the type of the value in memory.
// Returns a null pointer if there is no such operation.
template <class Visit>
auto visit_integer_operation(const std::string& name, ptx::Type type, Visit visit)
    -> decltype(visit(std::uint32_t{}, Exchange{})) {
  using ptx::Type;
  if (type == Type::kU32) {
    if (name == "inc") return visit(std::uint32_t{}, Increment{});
    if (name == "dec") return visit(std::uint32_t{}, Decrement{});
    if (name == "add") return visit(std::uint32_t{}, Combine<Add>{});
    if (name == "min") return visit(std::uint32_t{}, Combine<Min>{});
    if (name == "max") return visit(std::uint32_t{}, Combine<Max>{});
  }
  if (type == Type::kS32) {
    if (name == "add") return visit(std::int32_t{}, Combine<Add>{});
    if (name == "min") return visit(std::int32_t{}, Combine<Min>{});
    if (name == "max") return visit(std::int32_t{}, Combine<Max>{});
  }
  if (type == Type::kU64) {
    if (name == "add") return visit(std::uint64_t{}, Combine<Add>{});
    if (name == "min") return visit(std::uint64_t{}, Combine<Min>{});
    if (name == "max") return visit(std::uint64_t{}, Combine<Max>{});
  }
  if (type == Type::kS64) {
    if (name == "min") return visit(std::int64_t{}, Combine<Min>{});
    if (name == "max") return visit(std::int64_t{}, Combine<Max>{});
  }
  return nullptr;
}

template <class Visit>
auto visit_float_operation(const std::string& name, ptx::Type type, Visit visit)
    -> decltype(visit(std::uint32_t{}, Exchange{})) {
  using ptx::Type;
  const auto narrow = [&](auto word, auto format) -> decltype(visit(std::uint32_t{}, Exchange{})) {
    using Format = decltype(format);
    if (name == "add") return visit(word, Narrow<Format, Plus>{});
    if (name == "min") return visit(word, Narrow<Format, Lesser>{});
    if (name == "max") return visit(word, Narrow<Format, Greater>{});
    return nullptr;
  };
  switch (type) {
    case Type::kF32:
      return name == "add" ? visit(std::uint32_t{}, AddSingle{}) : nullptr;
    case Type::kF64:
      return name == "add" ? visit(std::uint64_t{}, AddDouble{}) : nullptr;
    case Type::kF16:
      return narrow(std::uint16_t{}, Half{});
    case Type::kF16x2:
      return narrow(std::uint32_t{}, Half{});
    case Type::kBF16:
      return narrow(std::uint16_t{}, Brain{});
    case Type::kBF16x2:
      return narrow(std::uint32_t{}, Brain{});
    default:
      return nullptr;
  }
}

template <class Visit>
auto visit_bit_operation(const std::string& name, ptx::Type type, Visit visit)
    -> decltype(visit(std::uint32_t{}, Exchange{})) {
  using ptx::Type;
  const auto logic = [&](auto word) -> decltype(visit(std::uint32_t{}, Exchange{})) {
    if (name == "and") return visit(word, Combine<BitAnd>{});
    if (name == "or") return visit(word, Combine<BitOr>{});
    if (name == "xor") return visit(word, Combine<BitXor>{});
    if (name == "exch") return visit(word, Exchange{});
    return name == "cas" ? visit(word, CompareAndSwap{}) : nullptr;
  };
  switch (type) {
    case Type::kB16:
      return name == "cas" ? visit(std::uint16_t{}, CompareAndSwap{}) : nullptr;
    case Type::kB32:
      return logic(std::uint32_t{});
    case Type::kB64:
      return logic(std::uint64_t{});
    case Type::kB128:
      if (name == "exch") return visit(Bits128{}, Exchange{});
      return name == "cas" ? visit(Bits128{}, CompareAndSwap{}) : nullptr;
    default:
      return nullptr;
  }
}

template <class Visit>
auto visit_operation(const std::string& name, ptx::Type type, Visit visit) {
  if (auto found = visit_integer_operation(name, type, visit)) return found;
  if (auto found = visit_float_operation(name, type, visit)) return found;
  return visit_bit_operation(name, type, visit);
}

// ---- memory ---------------------------------------------------------------------------------------------------------

// Replaces the value at an aligned location by f(value), atomically with respect to all host threads, including those
// that use plain stores. Returns the old value.
template <class T, class F>
T replace(std::byte* at, F f) {
  T* place = reinterpret_cast<T*>(at);
  T old = __atomic_load_n(place, __ATOMIC_SEQ_CST);
  T wanted = f(old);
  while (!__atomic_compare_exchange_n(place, &old, wanted, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) wanted = f(old);
  return old;
}

template <class F>
Bits128 replace_wide(std::byte* at, F f) {
  const std::lock_guard<std::mutex> lock(wide_lock(at));
  Bits128 old;
  std::memcpy(&old, at, sizeof old);
  const Bits128 wanted = f(old);
  std::memcpy(at, &wanted, sizeof wanted);
  return old;
}

}  // namespace vgpu
