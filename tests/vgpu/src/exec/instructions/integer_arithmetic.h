// SPDX-License-Identifier: Apache-2.0
//
// The arithmetic of two's complement, as function objects: no value of the operands is undefined.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

namespace vgpu {

// What C++ computes T in, modulo its size and without overflow.
template <class T>
using Word = std::conditional_t<(sizeof(T) < 8), std::uint32_t, std::uint64_t>;

// Twice as wide as T.
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

// Product is one of the above.
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

// By zero the quotient and the remainder are all ones: PTX leaves it open, and that is what ptxas makes of it.
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

// F, and zero where that is negative.
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
