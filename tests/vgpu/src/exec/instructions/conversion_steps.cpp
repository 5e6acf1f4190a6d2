// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "exec/instructions/conversion.h"
#include "exec/instructions/float_rules.h"
#include "exec/instructions/half.h"
#include "exec/instructions/integer_types.h"
#include "exec/instructions/vector_loop.h"

namespace vgpu {
namespace {

using ptx::Type;

// Applies F to each number: reals[i] = F(reals[i]).
template <class F>
struct OfReals {
  __attribute__((always_inline)) static inline void run(Row& row) {
    for (unsigned i = 0; i < kLanes; ++i) row.reals[i] = F{}(row.reals[i]);
  }
};

template <class F>
struct IntegersOfReals {
  __attribute__((always_inline)) static inline void run(Row& row) {
    for (unsigned i = 0; i < kLanes; ++i) row.integers[i] = static_cast<std::int64_t>(F{}(row.reals[i]));
  }
};

template <class Source, class F>
struct RealsOfIntegers {
  __attribute__((always_inline)) static inline void run(Row& row) {
    for (unsigned i = 0; i < kLanes; ++i) row.reals[i] = F{}(static_cast<Source>(row.integers[i]));
  }
};

template <class Source, class F>
struct OfIntegers {
  __attribute__((always_inline)) static inline void run(Row& row) {
    for (unsigned i = 0; i < kLanes; ++i)
      row.integers[i] = static_cast<std::int64_t>(F{}(static_cast<Source>(row.integers[i])));
  }
};

template <class Loop>
Step step() {
  return ForThisMachine<Loop, Row&>::best();
}

template <class Format>
struct Rounded {
  double operator()(double x) const { return rounded<Format>(x); }
};

// Rounds to a whole number in the current rounding mode. std::rint is not used because compilers replace it by code
// that assumes the default mode.
struct Whole {
  double operator()(double x) const {
    constexpr double kAllWhole = 0x1p52;  // every double of at least this magnitude is a whole number
    const double c = std::copysign(kAllWhole, x);
    return std::fabs(x) < kAllWhole ? std::copysign((x + c) - c, x) : x;
  }
};

template <class Format>
struct Finite {
  double operator()(double x) const {
    const double above = x < -Format::kMax ? -Format::kMax : x;
    return above > Format::kMax ? Format::kMax : above;
  }
};

struct Saturated {
  double operator()(double x) const { return saturated(x); }
};

struct Rectified {
  double operator()(double x) const { return rectified(x); }
};

struct Flushed {
  double operator()(double x) const { return without_subnormals<Single>(x); }
};

template <class To, class From>
struct Clamped {
  From operator()(From x) const {
    using Limits = std::numeric_limits<To>;
    if constexpr (std::is_unsigned_v<From>) {
      constexpr std::uint64_t kMost = Limits::max();
      return x > kMost ? static_cast<From>(kMost) : x;
    } else {
      if (std::is_unsigned_v<To> && x < 0) return 0;
      if constexpr (sizeof(To) == 8) {
        return x;
      } else {
        const From above = x < From{Limits::min()} ? From{Limits::min()} : x;
        return above > From{Limits::max()} ? From{Limits::max()} : above;
      }
    }
  }
};

// Rounds to odd. The significand of a double is wider than that of a half but narrower than 64 bits, so the last bit
// kept is set if any of the bits dropped was (sticky bit). This preserves everything that the final rounding depends
// on.
template <class Integer>
double to_odd(Integer x) {
  constexpr int kLost = 11;
  const bool negative = x < 0;
  const auto bits = static_cast<std::uint64_t>(x);
  const std::uint64_t magnitude = negative ? 0 - bits : bits;
  const std::uint64_t sticky = (magnitude & ((1u << kLost) - 1)) != 0 ? 1 : 0;
  const bool fits = magnitude >> 53 == 0;
  const auto kept = static_cast<std::int64_t>(fits ? magnitude : magnitude >> kLost | sticky);
  const double exact = static_cast<double>(kept) * (fits ? 1.0 : power_of_two(kLost));
  return negative ? -exact : exact;
}

template <class Format>
struct RealOf {
  template <class Integer>
  double operator()(Integer x) const {
    return rounded<Format>(to_odd(x));
  }
};

template <class Float>
struct FloatOf {
  double operator()(std::int64_t x) const { return static_cast<double>(static_cast<Float>(x)); }
  // Converts by way of a signed integer, since the code that compilers generate for unsigned integers gives -0 when
  // rounding towards negative infinity. The bit that is shifted out is merged into the last bit kept (sticky bit),
  // which preserves everything that rounding depends on.
  double operator()(std::uint64_t x) const {
    const bool large = x >> 63 != 0;
    const double real = (*this)(static_cast<std::int64_t>(large ? x >> 1 | (x & 1) : x));
    return large ? 2 * real : real;
  }
};

template <class To, bool kNanIsZero>
struct IntegerOf {
  To operator()(double x) const {
    using Limits = std::numeric_limits<To>;
    constexpr double kEnd = power_of_two(Limits::digits);  // the first value beyond the range of To
    constexpr To kNan = kNanIsZero ? To{0} : static_cast<To>(std::uint64_t{1} << (8 * sizeof(To) - 1));
    if (x != x) return kNan;
    if (x >= kEnd) return Limits::max();
    return x <= static_cast<double>(Limits::min()) ? Limits::min() : static_cast<To>(x);
  }
};

}  // namespace

Step clamp_step(Type from, Type to) {
  return for_all_integers(to, [&](auto like) {
    using To = decltype(like);
    return from == Type::kU64 ? step<OfIntegers<std::uint64_t, Clamped<To, std::uint64_t>>>()
                              : step<OfIntegers<std::int64_t, Clamped<To, std::int64_t>>>();
  });
}

Step integer_to_real_step(Type from, Type to) {
  const auto of = [&](auto function) {
    using F = decltype(function);
    return from == Type::kU64 ? step<RealsOfIntegers<std::uint64_t, F>>() : step<RealsOfIntegers<std::int64_t, F>>();
  };
  switch (to) {
    case Type::kF16:
      return of(RealOf<Half>{});
    case Type::kBF16:
      return of(RealOf<Brain>{});
    case Type::kF32:
      return of(FloatOf<float>{});
    default:
      return of(FloatOf<double>{});
  }
}

Step real_to_integer_step(Type from, Type to) {
  return for_all_integers(to, [&](auto like) {
    using To = decltype(like);
    return sizeof(To) < 8 && from != Type::kF64 ? step<IntegersOfReals<IntegerOf<To, true>>>()
                                                : step<IntegersOfReals<IntegerOf<To, false>>>();
  });
}

Step round_step(Type to) {
  switch (to) {
    case Type::kF16:
      return step<OfReals<Rounded<Half>>>();
    case Type::kBF16:
      return step<OfReals<Rounded<Brain>>>();
    default:
      return step<OfReals<Rounded<Single>>>();
  }
}

Step finite_step(Type to) { return to == Type::kF16 ? step<OfReals<Finite<Half>>>() : step<OfReals<Finite<Brain>>>(); }

Step round_to_whole_step() { return step<OfReals<Whole>>(); }
Step saturate_step() { return step<OfReals<Saturated>>(); }
Step rectify_step() { return step<OfReals<Rectified>>(); }
Step flush_step() { return step<OfReals<Flushed>>(); }

}  // namespace vgpu
