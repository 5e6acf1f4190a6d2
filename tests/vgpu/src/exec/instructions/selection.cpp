// SPDX-License-Identifier: Apache-2.0
//
// Floating-point instructions whose result is one of the operands, possibly with another sign: abs, neg, min, max and
// copysign; and testp, which classifies a number.
#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"
#include "exec/instructions/float_rules.h"
#include "exec/instructions/floats.h"
#include "exec/instructions/half.h"
#include "exec/instructions/vector_loop.h"

namespace vgpu {
namespace {

using ptx::Type;

// abs and neg leave the bits of f64 NaNs unchanged; NaNs of the other types become canonical when the result is
// written.
struct Magnitude {
  template <class T>
  T operator()(T a) const {
    return a == a ? std::fabs(a) : a;
  }
};

struct Negation {
  template <class T>
  T operator()(T a) const {
    return a == a ? -a : a;
  }
};

template <class T>
T sign_of(T x) {
  return bits_as<T>(bits_as<typename FloatLayout<T>::Bits>(x) & FloatLayout<T>::kSign);
}

template <class T>
T exclusive_or(T a, T b) {
  using Bits = typename FloatLayout<T>::Bits;
  return bits_as<T>(bits_as<Bits>(a) ^ bits_as<Bits>(b));
}

// The larger or smaller of two values, where -0 < +0. If one of them is NaN, the result is the other one, or NaN with
// kNanWins.
template <bool kLarger, bool kNanWins>
struct Extreme {
  template <class T>
  T operator()(T a, T b) const {
    using Bits = typename FloatLayout<T>::Bits;
    const Bits x = bits_as<Bits>(a), y = bits_as<Bits>(b);
    const T of_equals = bits_as<T>(kLarger ? x & y : x | y);  // a and b may be zeros of different signs
    const T of_others = (kLarger ? a > b : a < b) ? a : b;
    const T number = a == b ? of_equals : of_others;
    const T result = b == b ? number : (kNanWins ? b : a);
    return canonical(kNanWins && a != a ? a : result);
  }
  template <class T>
  T operator()(T a, T b, T c) const {
    return (*this)((*this)(a, b), c);
  }
};

// Applies Choice to the magnitudes of the operands.
template <class Choice>
struct OfMagnitudes {
  template <class T, class... More>
  T operator()(T x, More... more) const {
    return Choice{}(std::fabs(x), std::fabs(more)...);
  }
};

// .xorsign.abs: applies Choice to the magnitudes; the sign of the result is the exclusive or of the signs.
template <class Choice>
struct WithSigns {
  template <class T>
  T operator()(T a, T b) const {
    const T result = Choice{}(std::fabs(a), std::fabs(b));
    return result == result ? exclusive_or(result, sign_of(exclusive_or(a, b))) : result;
  }
};

// Applies Choice to values of the type itself, or to halves, which are represented as float.
template <class Choice, bool kFlush>
struct OfFloats {
  template <class... T>
  float operator()(T... x) const {
    return kFlush ? canonical(Choice{}(flushed(x)...)) : canonical(Choice{}(x...));
  }
};

template <class Choice, class Format, bool kFlush>
struct OfHalves {
  template <class... Bits>
  std::uint16_t operator()(Bits... x) const {
    if constexpr (kFlush) {
      return encoded<Format>(Choice{}(without_subnormals<Format>(widened<Format>(x))...));
    } else {
      return encoded<Format>(Choice{}(widened<Format>(x)...));
    }
  }
};

template <class Choice, unsigned kInputs>
Handler handler_for(Type type, bool flush) {
  switch (type) {
    case Type::kF64:
      return flush ? nullptr : vector_loop_over<Choice, 1, double, kInputs>();
    case Type::kF32:
      return flush ? vector_loop_over<OfFloats<Choice, true>, 1, float, kInputs>()
                   : vector_loop_over<OfFloats<Choice, false>, 1, float, kInputs>();
    case Type::kF16:
      return flush ? vector_loop_over<OfHalves<Choice, Half, true>, 1, std::uint16_t, kInputs>()
                   : vector_loop_over<OfHalves<Choice, Half, false>, 1, std::uint16_t, kInputs>();
    case Type::kF16x2:
      return flush ? vector_loop_over<OfHalves<Choice, Half, true>, 2, std::uint16_t, kInputs>()
                   : vector_loop_over<OfHalves<Choice, Half, false>, 2, std::uint16_t, kInputs>();
    case Type::kBF16:
      return flush ? nullptr : vector_loop_over<OfHalves<Choice, Brain, false>, 1, std::uint16_t, kInputs>();
    case Type::kBF16x2:
      return flush ? nullptr : vector_loop_over<OfHalves<Choice, Brain, false>, 2, std::uint16_t, kInputs>();
    default:
      return nullptr;
  }
}

Pipe pipe_of(Type type) { return type == Type::kF64 ? Pipe::kFp64 : Pipe::kAlu; }

template <class Operation>
void decode_sign(Decoder& d) {
  const bool flush = d.take("ftz");
  const Type type = d.take_type();
  set_handler(d, pipe_of(type), handler_for<Operation, 1>(type, flush));
  take_operands(d, type, {type});
}

template <bool kLarger>
void decode_extreme(Decoder& d) {
  const bool flush = d.take("ftz"), nan_wins = d.take("NaN"), signs = d.take("xorsign"), magnitudes = d.take("abs");
  const Type type = d.take_type();
  const bool three = d.operand_count() == 4;
  Handler handler = nullptr;
  if (type == Type::kF64 && (nan_wins || magnitudes)) d.unknown();
  if (signs != magnitudes && !three) d.unknown();
  if (three && (signs || type != Type::kF32)) d.unknown();
  with_flags(
      [&](auto nan) {
        using Choice = Extreme<kLarger, nan>;
        if (three) {
          handler =
              magnitudes ? handler_for<OfMagnitudes<Choice>, 3>(type, flush) : handler_for<Choice, 3>(type, flush);
        } else {
          handler = signs ? handler_for<WithSigns<Choice>, 2>(type, flush) : handler_for<Choice, 2>(type, flush);
        }
      },
      nan_wins);
  set_handler(d, pipe_of(type), handler);
  if (three) {
    take_operands(d, type, {type, type, type});
  } else {
    take_operands(d, type, {type, type});
  }
}

struct CopySign {
  template <class T>
  T operator()(T sign, T magnitude) const {
    return std::copysign(magnitude, sign);
  }
};

void decode_copysign(Decoder& d) {
  const Type type = d.take_type();
  Handler handler = nullptr;
  if (type == Type::kF32) handler = vector_loop_over<CopySign, 1, float, 2>();
  if (type == Type::kF64) handler = vector_loop_over<CopySign, 1, double, 2>();
  set_handler(d, pipe_of(type), handler);
  take_operands(d, type, {type, type});
}

// The classes of std::fpclassify for which testp is true, as a set of bits. Zero counts as normal.
enum Kind : std::uint8_t { kNormal = 1, kSubnormal = 2, kInfinite = 4, kNan = 8 };

template <class T>
unsigned kind_of(T x) {
  switch (std::fpclassify(x)) {
    case FP_NAN:
      return kNan;
    case FP_INFINITE:
      return kInfinite;
    case FP_SUBNORMAL:
      return kSubnormal;
    default:
      return kNormal;
  }
}

template <class T>
void run_testp(Warp& warp, const Code& code) {
  const T* x = warp.lanes<T>(code.operands[1]);
  Mask result = 0;
  for_each_lane(warp.active(), [&](unsigned lane) {
    if ((kind_of(x[lane]) & code.flags) != 0) result |= Mask{1} << lane;
  });
  set_predicate(warp, code.operands[0], result);
}

void decode_testp(Decoder& d) {
  struct Question {
    const char* word;
    unsigned accepts;
  };
  for (const Question& question : {Question{"finite", kNormal | kSubnormal}, Question{"infinite", kInfinite},
                                   Question{"notanumber", kNan}, Question{"number", kNormal | kSubnormal | kInfinite},
                                   Question{"normal", kNormal}, Question{"subnormal", kSubnormal}})
    if (d.take(question.word)) d.code().flags = static_cast<std::uint8_t>(question.accepts);
  if (d.code().flags == 0) d.unknown();
  const Type type = d.take_type();
  Handler handler = nullptr;
  if (type == Type::kF32) handler = run_testp<float>;
  if (type == Type::kF64) handler = run_testp<double>;
  set_handler(d, pipe_of(type), handler);
  if (d.operand_count() != 2) d.unknown("expected 2 operands");
  d.code().operands[0] = d.predicate_output(d.operand(0));
  d.code().operands[1] = d.input(1, type);
}

}  // namespace

void decode_selection(Decoder& d) {
  const std::string& opcode = d.instruction().opcode;
  if (opcode == "abs") return decode_sign<Magnitude>(d);
  if (opcode == "neg") return decode_sign<Negation>(d);
  if (opcode == "min") return decode_extreme<false>(d);
  decode_extreme<true>(d);
}

void add_selection(InstructionTable& table) {
  table["copysign"] = decode_copysign;
  table["testp"] = decode_testp;
}

}  // namespace vgpu
