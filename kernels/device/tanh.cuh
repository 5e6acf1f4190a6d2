// SPDX-License-Identifier: Apache-2.0
//
// tanh and its derivative from one exponential and one reciprocal.
#pragma once

namespace attn::kernels {

// Number: float, or float4 for each element of a vec4.
template <class Number>
struct Tanh {
  Number value;
  Number slope;  // 1 - value^2
};

// Maximum error: 3.4 ULP for the value, near |s| = 0.7, and 4 + 2 |s| ULP for the slope. Both were found by testing all
// floats, with ex2 and rcp off by the 2 and 1 ULP that PTX allows them. NaN gives NaN; infinities give +-1 with slope
// 0.
//
// With r = 1 / (1 + exp(2|s|)) <= 1/2, the value is 1 - 2 r with the sign of s, and the slope is 4 r (1 - r), which
// loses no accuracy where tanh saturates. Below 0.55 the value would suffer from cancellation, so there it is
// s + s^3 P(s^2), where P is the minimax polynomial of degree 3 (Remez exchange in 60 digits on the relative error of
// tanh, 3.7e-8).
__device__ inline Tanh<float> tanh_and_slope(float s) {
  constexpr float kTwiceLog2E = 2.88539008f;
  float exponential, r;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(exponential) : "f"(fabsf(s) * kTwiceLog2E));
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(1 + exponential));
  const float square = s * s;
  float p = 1.643758181e-2f;
  p = fmaf(p, square, -5.267181394e-2f);
  p = fmaf(p, square, 1.332072506e-1f);
  p = fmaf(p, square, -3.333294664e-1f);
  const float inner = fmaf(p * square, s, s);
  const float outer = copysignf(fmaf(-2.0f, r, 1.0f), s);
  return {fabsf(s) < 0.55f ? inner : outer, 4 * r * (1 - r)};
}

__device__ inline Tanh<float4> tanh_and_slope(float4 s) {
  const Tanh<float> x = tanh_and_slope(s.x), y = tanh_and_slope(s.y), z = tanh_and_slope(s.z), w = tanh_and_slope(s.w);
  return {make_float4(x.value, y.value, z.value, w.value), make_float4(x.slope, y.slope, z.slope, w.slope)};
}

}  // namespace attn::kernels
