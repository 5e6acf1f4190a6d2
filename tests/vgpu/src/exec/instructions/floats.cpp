// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic of f32, f32x2 and f64 with a single rounding, in all four rounding modes. The host computes it as well,
// since both follow IEEE 754.
#include "exec/instructions/floats.h"

#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"
#include "exec/instructions/float_rules.h"
#include "exec/instructions/half.h"
#include "exec/instructions/vector_loop.h"

namespace vgpu {
namespace {

using ptx::Type;

struct Sum {
  template <class T>
  T operator()(T a, T b) const {
    return a + b;
  }
};

struct Difference {
  template <class T>
  T operator()(T a, T b) const {
    return a - b;
  }
};

struct Product {
  template <class T>
  T operator()(T a, T b) const {
    return a * b;
  }
};

struct FusedProductSum {
  template <class T>
  T operator()(T a, T b, T c) const {
    return std::fma(a, b, c);
  }
};

struct Quotient {
  template <class T>
  T operator()(T a, T b) const {
    return a / b;
  }
};

struct Reciprocal {
  template <class T>
  T operator()(T a) const {
    return T{1} / a;
  }
};

struct SquareRoot {
  template <class T>
  T operator()(T a) const {
    return std::sqrt(a);
  }
};

// Applies an operation with .ftz to its operands and result, and with .sat to its result.
template <class Operation, bool kFlush, bool kSaturate>
struct Ruled {
  template <class T, class... More>
  T operator()(T x, More... more) const {
    T result;
    if constexpr (kFlush) {
      result = flushed(Operation{}(flushed(x), flushed(more)...));
    } else {
      result = Operation{}(x, more...);
    }
    return kSaturate ? saturated(result) : canonical(result);
  }
};

// Mixed-precision arithmetic: a, or a and b, have a half type, and the last operand is f32.
template <class Operation, class Format, bool kSaturate>
struct Mixed {
  using Bits = typename Format::Bits;
  float operator()(Bits a, float c) const { return Rule{}(widened<Format>(a), c); }
  float operator()(Bits a, Bits b, float c) const { return Rule{}(widened<Format>(a), widened<Format>(b), c); }
  using Rule = Ruled<Operation, false, kSaturate>;
};

enum Traits : unsigned { kDefaultRounding = 1, kSaturates = 2, kPairs = 4, kMixes = 8 };

template <class Operation, unsigned kInputs, class Format>
Handler mixed_handler(bool saturate) {
  using Bits = typename Format::Bits;
  return with_flags(
      [](auto saturates) {
        using Rule = Mixed<Operation, Format, saturates>;
        if constexpr (kInputs == 2) {
          return vector_loop<Rule, 1, float, Bits, float>();
        } else {
          return vector_loop<Rule, 1, float, Bits, Bits, float>();
        }
      },
      saturate);
}

template <class Operation, unsigned kInputs, unsigned kTraits>
void decode(Decoder& d) {
  const auto rounding = take_rounding(d);
  if (!rounding && (kTraits & kDefaultRounding) == 0) d.unknown("expected a rounding mode");
  d.code().flags = static_cast<std::uint8_t>(rounding.value_or(Rounding::kNearestEven));
  const bool flush = d.take("ftz");
  const bool saturate = (kTraits & kSaturates) != 0 && d.take("sat");
  const Type type = d.take_type();
  std::array<Type, kInputs> sources;
  sources.fill(type);

  Handler handler = nullptr;
  Pipe pipe = (kTraits & kSaturates) != 0 ? Pipe::kFma : Pipe::kSpecial;
  if (type == Type::kF64 && !flush && !saturate) {
    handler = vector_loop_over<Ruled<Operation, false, false>, 1, double, kInputs>();
    pipe = Pipe::kFp64;
  } else if (type == Type::kF32 && !d.peek().empty()) {
    const Type narrow = d.take_type();
    std::fill(sources.begin(), sources.end() - 1, narrow);
    if constexpr ((kTraits & kMixes) != 0) {
      if (narrow == Type::kF16 && !flush) handler = mixed_handler<Operation, kInputs, Half>(saturate);
      if (narrow == Type::kBF16 && !flush) handler = mixed_handler<Operation, kInputs, Brain>(saturate);
    }
  } else if (type == Type::kF32) {
    handler = with_flags(
        [](auto flushes, auto saturates) {
          return vector_loop_over<Ruled<Operation, flushes, saturates>, 1, float, kInputs>();
        },
        flush, saturate);
  } else if (type == Type::kF32x2 && (kTraits & kPairs) != 0 && !saturate) {
    handler = with_flags(
        [](auto flushes) { return vector_loop_over<Ruled<Operation, flushes, false>, 2, float, kInputs>(); }, flush);
  }
  set_handler(d, pipe, handler);
  if (d.operand_count() != kInputs + 1) d.unknown("expected " + std::to_string(kInputs + 1) + " operands");
  d.code().operands[0] = d.output(0, type);
  for (unsigned i = 0; i < kInputs; ++i) d.code().operands[i + 1] = d.input(i + 1, sources[i]);
}

}  // namespace

bool is_half(Type type) {
  return type == Type::kF16 || type == Type::kF16x2 || type == Type::kBF16 || type == Type::kBF16x2;
}

void decode_float_arithmetic(Decoder& d) {
  const std::string& opcode = d.instruction().opcode;
  if (opcode == "add") return decode<Sum, 2, kDefaultRounding | kSaturates | kPairs | kMixes>(d);
  if (opcode == "sub") return decode<Difference, 2, kDefaultRounding | kSaturates | kPairs | kMixes>(d);
  if (opcode == "mul") return decode<Product, 2, kDefaultRounding | kSaturates | kPairs>(d);
  if (opcode == "fma") return decode<FusedProductSum, 3, kSaturates | kPairs | kMixes>(d);
  if (opcode == "mad") return decode<FusedProductSum, 3, kSaturates>(d);
  if (opcode == "div") return decode<Quotient, 2, 0>(d);
  if (opcode == "rcp") return decode<Reciprocal, 1, 0>(d);
  if (opcode == "sqrt") return decode<SquareRoot, 1, 0>(d);
  d.unknown();
}

}  // namespace vgpu
