// SPDX-License-Identifier: Apache-2.0
//
// Loops over lanes, compiled twice: for any machine, and for x86 machines with AVX2 and FMA, on which they run several
// times as fast. Both versions give bitwise identical results.
#pragma once

#include "exec/instructions/lanes.h"
#include "exec/instructions/rounding.h"

namespace vgpu {

inline bool has_wide_vectors() {
#ifdef __x86_64__
  static const bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return has;
#else
  return false;
#endif
}

// Calls Loop::run(Arguments...), which must be always_inline so that it is compiled separately for each of the two
// versions.
template <class Loop, class... Arguments>
class ForThisMachine {
 public:
  static auto best() { return has_wide_vectors() ? wide : plain; }

 private:
  static void plain(Arguments... arguments) { Loop::run(arguments...); }
#ifdef __x86_64__
  __attribute__((target("avx2,fma")))
#endif
  static void
  wide(Arguments... arguments) {
    Loop::run(arguments...);
  }
};

// Computes operands[0] = f(operands[1], ...) element by element, in the rounding mode of Code::flags. A lane holds
// kElements elements. F is a stateless function object Out F(In...).
template <class F, unsigned kElements, class Out, class... In>
struct VectorLoop {
  __attribute__((always_inline)) static inline void run(Warp& warp, const Code& code) {
    run(warp, code, std::index_sequence_for<In...>{});
  }

  template <std::size_t... I>
  __attribute__((always_inline)) static inline void run(Warp& warp, const Code& code, std::index_sequence<I...>) {
    const RoundingScope scope(static_cast<Rounding>(code.flags));
    Out* out = warp.lanes<Out>(code.operands[0]);
    const std::tuple<const In*...> in{warp.lanes<In>(code.operands[I + 1])...};
    // The results are kept apart from the registers, so that the compiler need not consider whether the destination is
    // also an operand.
    alignas(64) Out result[kLanes * kElements];
    for (unsigned i = 0; i < kLanes * kElements; ++i) result[i] = F{}(std::get<I>(in)[i]...);
    const Mask active = warp.active();
    if (active == kAllLanes) {
      std::memcpy(out, result, sizeof result);
    } else {
      for (unsigned i = 0; i < kLanes * kElements; ++i)
        out[i] = (active >> (i / kElements) & 1) != 0 ? result[i] : out[i];
    }
  }
};

template <class F, unsigned kElements, class Out, class... In>
Handler vector_loop() {
  return ForThisMachine<VectorLoop<F, kElements, Out, In...>, Warp&, const Code&>::best();
}

// The same for operands that all have the same type.
template <class F, unsigned kElements, class T, unsigned kInputs>
Handler vector_loop_over() {
  static_assert(kInputs >= 1 && kInputs <= 3);
  if constexpr (kInputs == 1) {
    return vector_loop<F, kElements, T, T>();
  } else if constexpr (kInputs == 2) {
    return vector_loop<F, kElements, T, T, T>();
  } else {
    return vector_loop<F, kElements, T, T, T, T>();
  }
}

// Calls f(flag...) with each flag as a std::true_type or std::false_type.
template <class F>
auto with_flags(F f) {
  return f();
}
template <class F, class... Flags>
auto with_flags(F f, bool flag, Flags... more) {
  const auto bind = [&](auto known) { return with_flags([&](auto... rest) { return f(known, rest...); }, more...); };
  return flag ? bind(std::true_type{}) : bind(std::false_type{});
}

}  // namespace vgpu
