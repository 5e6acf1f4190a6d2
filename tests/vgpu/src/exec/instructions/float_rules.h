// SPDX-License-Identifier: Apache-2.0
//
// What the PTX ISA specifies beyond IEEE arithmetic: a canonical NaN, flushing of subnormals, and clamping of results.
// The code is free of branches, so that compilers can vectorise loops over lanes.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "exec/instructions/lanes.h"

namespace vgpu {

template <class T>
struct FloatLayout;

template <>
struct FloatLayout<float> {
  using Bits = std::uint32_t;
  static constexpr Bits kSign = 0x80000000u, kNan = 0x7fffffffu;
};

// The canonical NaN of f64 instructions differs from that of f32 instructions.
template <>
struct FloatLayout<double> {
  using Bits = std::uint64_t;
  static constexpr Bits kSign = 0x8000000000000000u, kNan = 0xfff8000000000000u;
};

template <class T>
T canonical_nan() {
  return bits_as<T>(FloatLayout<T>::kNan);
}

template <class T>
T canonical(T x) {
  return x == x ? x : canonical_nan<T>();
}

// .ftz: flushes subnormals to sign-preserving zero.
template <class T>
T flushed(T x) {
  return std::fabs(x) < std::numeric_limits<T>::min() ? std::copysign(T{0}, x) : x;
}

// .sat: clamps to [+0, 1]; NaN becomes +0.
template <class T>
T saturated(T x) {
  const T positive = x > 0 ? x : T{0};
  return positive < 1 ? positive : T{1};
}

// .relu: negative numbers and -0 become +0; NaN is kept.
template <class T>
T rectified(T x) {
  return x <= 0 ? T{0} : x;
}

}  // namespace vgpu
