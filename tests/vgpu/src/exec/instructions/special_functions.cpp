// SPDX-License-Identifier: Apache-2.0
//
// The .approx instructions and div.full. The result is the correctly rounded value, which is the best that the
// documented error bound allows. With Options::perturb it deviates from that value by up to the documented bound.
#include "exec/instructions/special_functions.h"

#include "exec/block.h"
#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"
#include "exec/instructions/floats.h"
#include "exec/instructions/vector_loop.h"

namespace vgpu {
namespace {

using ptx::Type;

// Reads the operands of a format from registers and writes results to them.
template <class Format, bool kFlush>
struct Codec {
  using Value = std::uint16_t;
  static double read(Value value) {
    const float number = widened<Format>(value);
    return double{kFlush ? without_subnormals<Format>(number) : number};
  }
  static Value write(double exact) {
    const double number = rounded<Format>(exact);
    return encoded<Format>(kFlush ? without_subnormals<Format>(number) : number);
  }
};

template <bool kFlush>
struct Codec<Single, kFlush> {
  using Value = float;
  static double read(Value value) { return double{kFlush ? flushed(value) : value}; }
  static Value write(double exact) {
    const float number = canonical(static_cast<float>(exact));
    return kFlush ? flushed(number) : number;
  }
};

template <class Function, class Format, bool kFlush>
struct Best {
  using Operands = Codec<Format, kFlush>;
  using Value = typename Operands::Value;
  template <class... X>
  Value operator()(X... x) const {
    return Operands::write(Function::value(Operands::read(x)...));
  }
};

// For operands that are zero, infinite or NaN, the result is the one that the PTX ISA lists.
template <class Format, class Function, class... X>
double off(std::uint64_t seed, X... x) {
  const double exact = Function::value(x...);
  if (((x == 0 || !std::isfinite(x)) || ...) || !std::isfinite(exact)) return exact;
  std::uint64_t operands = 0;
  ((operands = operands * 0x100000001b3u ^ bits_as<std::uint64_t>(x)), ...);
  return perturbed<Format>(exact, Function::template bound<Format>(x...), deviation(seed, operands));
}

template <class Function, class Format, unsigned kElements, bool kFlush, std::size_t... I>
void run_off(Warp& warp, const Code& code, std::index_sequence<I...>) {
  using Operands = Codec<Format, kFlush>;
  using Value = typename Operands::Value;
  const std::uint64_t seed = warp.block().launch().options.perturb;
  Value* out = warp.lanes<Value>(code.operands[0]);
  for_each_lane(warp.active(), [&](unsigned lane) {
    for (unsigned i = lane * kElements; i < (lane + 1) * kElements; ++i)
      out[i] =
          Operands::write(off<Format, Function>(seed, Operands::read(warp.lanes<Value>(code.operands[I + 1])[i])...));
  });
}

template <class Function, class Format, unsigned kElements, bool kFlush, unsigned kInputs>
void run(Warp& warp, const Code& code) {
  using Value = typename Codec<Format, kFlush>::Value;
  static const Handler best = vector_loop_over<Best<Function, Format, kFlush>, kElements, Value, kInputs>();
  if (warp.block().launch().options.perturb == 0) {
    best(warp, code);
  } else {
    run_off<Function, Format, kElements, kFlush>(warp, code, std::make_index_sequence<kInputs>{});
  }
}

template <class Function, unsigned kInputs = 1>
Handler of_single(bool flush) {
  return flush ? run<Function, Single, 1, true, kInputs> : run<Function, Single, 1, false, kInputs>;
}

template <class Function, bool kFlushBrains>
Handler of_halves(Type type, bool flush) {
  if (type == Type::kF16 && !flush) return run<Function, Half, 1, false, 1>;
  if (type == Type::kF16x2 && !flush) return run<Function, Half, 2, false, 1>;
  if (type == Type::kBF16 && flush == kFlushBrains) return run<Function, Brain, 1, kFlushBrains, 1>;
  if (type == Type::kBF16x2 && flush == kFlushBrains) return run<Function, Brain, 2, kFlushBrains, 1>;
  return nullptr;
}

struct ReciprocalRootOfDouble {
  double operator()(double x) const { return canonical(ReciprocalRootOf::value(x)); }
};

// rcp.approx.ftz.f64 and rsqrt.approx.ftz.f64 use only the upper words of the operand and the result. Their error bound
// is not documented.
template <class Function>
struct OfUpperHalf {
  double operator()(double x) const {
    constexpr std::uint64_t kUpper = 0xffffffff00000000u;
    const auto operand = bits_as<double>(bits_as<std::uint64_t>(x) & kUpper);
    const double result = flushed(Function::value(flushed(operand)));
    const std::uint64_t nearest = (bits_as<std::uint64_t>(result) + 0x80000000u) & kUpper;
    return bits_as<double>(result == result ? nearest : std::uint64_t{0x7fffffff00000000u});
  }
};

template <class Function>
Handler of_upper_half() {
  return vector_loop<OfUpperHalf<Function>, 1, double, double>();
}

Handler handler_for(const std::string& opcode, bool approximate, Type type, bool flush) {
  const bool single = type == Type::kF32, twice = type == Type::kF64;
  if (opcode == "div" && single)
    return approximate ? of_single<ProductWithReciprocalOf, 2>(flush) : of_single<QuotientOf, 2>(flush);
  if (!approximate) return nullptr;
  if (opcode == "rcp") {
    if (single) return of_single<ReciprocalOf>(flush);
    return twice && flush ? of_upper_half<ReciprocalOf>() : nullptr;
  }
  if (opcode == "rsqrt") {
    if (single) return of_single<ReciprocalRootOf>(flush);
    if (twice)
      return flush ? of_upper_half<ReciprocalRootOf>() : vector_loop_over<ReciprocalRootOfDouble, 1, double, 1>();
  }
  if (opcode == "sqrt" && single) return of_single<SquareRootOf>(flush);
  if (opcode == "sin" && single) return of_single<SineOf>(flush);
  if (opcode == "cos" && single) return of_single<CosineOf>(flush);
  if (opcode == "lg2" && single) return of_single<LogarithmOf>(flush);
  if (opcode == "ex2") return single ? of_single<ExponentialOf>(flush) : of_halves<ExponentialOf, true>(type, flush);
  if (opcode == "tanh" && single) return flush ? nullptr : of_single<TangentOf>(false);
  if (opcode == "tanh") return of_halves<TangentOf, false>(type, flush);
  return nullptr;
}

}  // namespace

void decode_approximation(Decoder& d) {
  const bool approximate = d.take("approx");
  if (!approximate && !d.take("full")) d.unknown("expected .approx");
  const bool flush = d.take("ftz");
  const Type type = d.take_type();
  const std::string& opcode = d.instruction().opcode;
  set_handler(d, Pipe::kSpecial, handler_for(opcode, approximate, type, flush));
  if (opcode == "div") {
    take_operands(d, type, {type, type});
  } else {
    take_operands(d, type, {type});
  }
}

void add_special_functions(InstructionTable& table) {
  for (const char* opcode : {"rsqrt", "sin", "cos", "lg2", "ex2", "tanh"}) table[opcode] = decode_approximation;
}

}  // namespace vgpu
