// SPDX-License-Identifier: Apache-2.0
//
// Two's complement arithmetic as function objects, which are defined for all values of the operands.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

namespace vgpu {

// The type in which T is computed in C++: unsigned, so that overflow wraps.
template <class T>
using Word = std::conditional_t<(sizeof(T) < 8), std::uint32_t, std::uint64_t>;

// The integer type that is twice as wide as T.
template <class T>
struct Twice;
template <>
struct Twice<std::uint16_t> {
  using Type = std::uint32_t;
};
template <>
struct Twice<std::int16_t> {
  using Type = std::int32_t;
};
template <>
struct Twice<std::uint32_t> {
  using Type = std::uint64_t;
};
template <>
struct Twice<std::int32_t> {
  using Type = std::int64_t;
};
template <>
struct Twice<std::uint64_t> {
  __extension__ typedef unsigned __int128 Type;
};
template <>
struct Twice<std::int64_t> {
  __extension__ typedef __int128 Type;
};
template <class T>
using TwiceOf = typename Twice<T>::Type;

struct Add {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(static_cast<Word<T>>(a) + static_cast<Word<T>>(b));
  }
};

struct Sub {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(static_cast<Word<T>>(a) - static_cast<Word<T>>(b));
  }
};

struct MulWide {
  template <class T>
  TwiceOf<T> operator()(T a, T b) const {
    return static_cast<TwiceOf<T>>(a) * static_cast<TwiceOf<T>>(b);
  }
};

struct MulLow {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(static_cast<Word<T>>(a) * static_cast<Word<T>>(b));
  }
};

struct MulHigh {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(MulWide{}(a, b) >> 8 * sizeof(T));
  }
};

// Product is one of the function objects above.
template <class Product>
struct MulAdd {
  template <class T, class Sum>
  Sum operator()(T a, T b, Sum c) const {
    return Add{}(Product{}(a, b), c);
  }
};

inline std::int32_t clamped(std::int64_t value) {
  using Limits = std::numeric_limits<std::int32_t>;
  if (value < Limits::min()) return Limits::min();
  return static_cast<std::int32_t>(value > Limits::max() ? Limits::max() : value);
}

// The result of a division by zero is unspecified in the PTX ISA. Here quotient and remainder are all ones, as in the
// code that ptxas generates.
struct Div {
  template <class T>
  T operator()(T a, T b) const {
    if (b == 0) return static_cast<T>(-1);
    if constexpr (std::is_signed_v<T>)
      if (b == -1) return Sub{}(T{0}, a);
    return static_cast<T>(a / b);
  }
};

struct Rem {
  template <class T>
  T operator()(T a, T b) const {
    if (b == 0) return static_cast<T>(-1);
    if constexpr (std::is_signed_v<T>)
      if (b == -1) return 0;
    return static_cast<T>(a % b);
  }
};

struct Min {
  template <class T>
  T operator()(T a, T b) const {
    return a < b ? a : b;
  }
};

struct Max {
  template <class T>
  T operator()(T a, T b) const {
    return a < b ? b : a;
  }
};

// Applies F and replaces a negative result by zero.
template <class F>
struct Relu {
  template <class T>
  T operator()(T a, T b) const {
    return Max{}(F{}(a, b), T{0});
  }
};

struct AbsoluteDifference {
  template <class T>
  T operator()(T a, T b) const {
    return a < b ? Sub{}(b, a) : Sub{}(a, b);
  }
};

}  // namespace vgpu
