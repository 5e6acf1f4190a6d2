// SPDX-License-Identifier: Apache-2.0
//
// setp and set: comparisons with a predicate or a number as the result.
#include "exec/instructions/by_type.h"
#include "exec/instructions/compare.h"
#include "exec/instructions/families.h"

namespace vgpu {
namespace {

using ptx::Type;

// ---- destinations of a comparison's result --------------------------------------------------------------------------

enum Flag : std::uint8_t { kAnd = 1, kOr = 2, kXor = 4, kNegated = 8 };

// Returns the result combined with the predicate in operand 4 if the instruction has a Boolean operator.
Mask combined(Warp& warp, const Code& code, Mask result) {
  if ((code.flags & (kAnd | kOr | kXor)) == 0) return result;
  Mask other = warp.predicate(code.operands[4]);
  if ((code.flags & kNegated) != 0) other = ~other;
  if ((code.flags & kAnd) != 0) return result & other;
  return (code.flags & kOr) != 0 ? result | other : result ^ other;
}

// The destinations of setp are the predicates in operands 0 and 1.
struct ToPredicates {
  static void store(Warp& warp, const Code& code, Mask first, Mask second) {
    first = combined(warp, code, first);
    if (code.operands[1] != kNoSlot) set_predicate(warp, code.operands[1], combined(warp, code, second));
    set_predicate(warp, code.operands[0], first);
  }
};

// The destination of set is operand 0. code.offset is the value that represents true.
template <class T>
struct ToRegister {
  static void store(Warp& warp, const Code& code, Mask result, Mask) {
    result = combined(warp, code, result);
    const auto true_value = static_cast<T>(code.offset);
    T* out = warp.lanes<T>(code.operands[0]);
    for_each_lane(warp.active(), [&](unsigned lane) { out[lane] = (result >> lane & 1) != 0 ? true_value : T{0}; });
  }
};
struct ToHalves {
  static void store(Warp& warp, const Code& code, Mask low, Mask high) {
    low = combined(warp, code, low);
    high = combined(warp, code, high);
    const auto true_value = static_cast<std::uint32_t>(code.offset);
    std::uint32_t* out = warp.lanes<std::uint32_t>(code.operands[0]);
    for_each_lane(warp.active(), [&](unsigned lane) {
      out[lane] = (low >> lane & 1) * true_value | (high >> lane & 1) * true_value << 16;
    });
  }
};

template <class Store, class Value, class Compare>
void run_one(Warp& warp, const Code& code) {
  const Mask result = compared<Value, Compare>(warp, code);
  Store::store(warp, code, result, ~result);
}

template <class Store, class Low, class High, class Compare>
void run_pair(Warp& warp, const Code& code) {
  Store::store(warp, code, compared<Low, Compare>(warp, code), compared<High, Compare>(warp, code));
}

// ---- handlers -------------------------------------------------------------------------------------------------------

// Each of the following templates makes the handler that evaluates a given comparison.
template <class Store, class Value>
struct One {
  template <class Compare>
  static Handler of() {
    return run_one<Store, Value, Compare>;
  }
};
template <class Store, class Format, bool flushes>
struct Pair {
  template <class Compare>
  static Handler of() {
    return run_pair<Store, Narrow<Format, flushes, std::uint32_t, 0>, Narrow<Format, flushes, std::uint32_t, 16>,
                    Compare>;
  }
};

template <class Store>
Handler packed_handler(Type type, const std::string& name, bool flushes) {
  if (type == Type::kF16x2)
    return flushes ? of_floats<Pair<Store, Half, true>>(name) : of_floats<Pair<Store, Half, false>>(name);
  return flushes ? nullptr : of_floats<Pair<Store, Brain, false>>(name);
}

template <class Store>
Handler scalar_handler(Type type, const std::string& name, bool flushes) {
  if (flushes && type == Type::kF32) return of_floats<One<Store, Single32<true>>>(name);
  if (flushes && type == Type::kF16) return of_floats<One<Store, Narrow<Half, true>>>(name);
  if (flushes) return nullptr;
  switch (type) {
    case Type::kF32:
      return of_floats<One<Store, Single32<false>>>(name);
    case Type::kF64:
      return of_floats<One<Store, Double64>>(name);
    case Type::kF16:
      return of_floats<One<Store, Narrow<Half, false>>>(name);
    case Type::kBF16:
      return of_floats<One<Store, Narrow<Brain, false>>>(name);
    default:
      break;
  }
  const Handler bits = for_bits(type, [&](auto value) { return of_bits<One<Store, Integer<decltype(value)>>>(name); });
  if (bits != nullptr) return bits;
  return for_integers(type, [&](auto value) {
    using T = decltype(value);
    if constexpr (std::is_signed_v<T>) return of_signed<One<Store, Integer<T>>>(name);
    return of_unsigned<One<Store, Integer<T>>>(name);
  });
}

// ---- decoding -------------------------------------------------------------------------------------------------------

bool is_packed(Type type) { return type == Type::kF16x2 || type == Type::kBF16x2; }

// The qualifiers in front of the types.
struct Words {
  std::string comparison;
  bool flushes;
};

Words take_words(Decoder& d) {
  Words words{d.take_word(), false};
  if (d.take("and")) d.code().flags |= kAnd;
  if (d.take("or")) d.code().flags |= kOr;
  if (d.take("xor")) d.code().flags |= kXor;
  words.flushes = d.take("ftz");
  return words;
}

Pipe pipe_of(Type type) {
  if (type == Type::kF64) return Pipe::kFp64;
  return ptx::is_float(type) && type != Type::kF32 ? Pipe::kFma : Pipe::kAlu;
}

void take_sources(Decoder& d, Type type) {
  Code& code = d.code();
  const bool combines = code.flags != 0;
  if (d.operand_count() != (combines ? 4u : 3u)) d.unknown();
  code.operands[2] = d.input(1, type);
  code.operands[3] = d.input(2, type);
  if (!combines) return;
  bool negated = false;
  code.operands[4] = d.predicate_input(d.operand(3), &negated);
  if (negated) code.flags |= kNegated;
}

void decode_setp(Decoder& d) {
  Code& code = d.code();
  const Words words = take_words(d);
  const Type type = d.take_type();
  take_sources(d, type);
  const ptx::Operand& destination = d.operand(0);
  code.operands[0] = d.predicate_output(destination);
  code.operands[1] = destination.second.empty() ? kNoSlot : d.predicate_output(destination.second[0]);
  set_handler(d, pipe_of(type),
              is_packed(type) ? packed_handler<ToPredicates>(type, words.comparison, words.flushes)
                              : scalar_handler<ToPredicates>(type, words.comparison, words.flushes));
}

// Returns the value that represents true in a destination of this type, or 0 if the type cannot be a destination.
std::int64_t true_value(Type type, bool halves) {
  switch (type) {
    case Type::kU32:
    case Type::kS32:
      return halves ? 0xffff : 0xffffffff;
    case Type::kU16:
    case Type::kS16:
      return 0xffff;
    case Type::kF32:
      return 0x3f800000;
    case Type::kF16:
    case Type::kF16x2:
      return 0x3c00;
    case Type::kBF16:
    case Type::kBF16x2:
      return 0x3f80;
    default:
      return 0;
  }
}

void decode_set(Decoder& d) {
  Code& code = d.code();
  const Words words = take_words(d);
  const Type type = d.take_type();
  const Type source = d.take_type();
  const bool halves = is_packed(source);
  take_sources(d, source);
  code.operands[0] = d.output(0, type);
  code.offset = true_value(type, halves);
  const bool fits = halves ? ptx::size_of(type) == 4 && type != Type::kF32 : !is_packed(type);
  if (code.offset == 0 || !fits) d.unknown();
  Handler handler = nullptr;
  if (halves) {
    handler = packed_handler<ToHalves>(source, words.comparison, words.flushes);
  } else if (ptx::size_of(type) == 4) {
    handler = scalar_handler<ToRegister<std::uint32_t>>(source, words.comparison, words.flushes);
  } else {
    handler = scalar_handler<ToRegister<std::uint16_t>>(source, words.comparison, words.flushes);
  }
  set_handler(d, pipe_of(source), handler);
}

}  // namespace

void add_comparisons(InstructionTable& table) {
  table["setp"] = decode_setp;
  table["set"] = decode_set;
}

}  // namespace vgpu
