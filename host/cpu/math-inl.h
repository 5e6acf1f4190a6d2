// SPDX-License-Identifier: Apache-2.0
//
// exp and tanh of a vector of floats. Both propagate NaN: they select by comparisons, which are false for NaN, and
// never use Min or Max, which may drop it.
#if defined(ATTN_CPU_MATH_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ATTN_CPU_MATH_INL_H
#undef ATTN_CPU_MATH_INL_H
#else
#define ATTN_CPU_MATH_INL_H
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace attn::internal::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The maximum error is 1 ULP, subnormal results included.
//
// exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln(2) / 2, exp(r) = 1 + r + r^2 p(r). p is the minimax polynomial
// of degree 4 (Remez exchange in 40 digits on the relative error of exp(r), 3.1e-9). 2^n is applied as
// two factors, so that results overflow and become subnormal correctly.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp(D d, V x) {
  const hn::RebindToSigned<D> di;
  const V highest = hn::Set(d, 89.0f), lowest = hn::Set(d, -104.0f);  // exp is inf and 0 in fp32 there
  x = hn::IfThenElse(hn::Gt(x, highest), highest, x);
  x = hn::IfThenElse(hn::Lt(x, lowest), lowest, x);

  const V n = hn::Round(hn::Mul(x, hn::Set(d, 1.44269504f)));
  // ln 2 as a sum: n times the first term, of nine bits, is exact.
  V r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), x);
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), r);

  V p = hn::Set(d, 1.381454018e-3f);
  p = hn::MulAdd(p, r, hn::Set(d, 8.368745109e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 4.166839078e-2f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.66665204e-1f));
  p = hn::MulAdd(p, r, hn::Set(d, 4.999999343e-1f));
  p = hn::Add(hn::MulAdd(p, hn::Mul(r, r), r), hn::Set(d, 1.0f));

  const auto exponent = hn::NearestInt(n);
  const auto half = hn::ShiftRight<1>(exponent);
  const auto bias = hn::Set(di, 127);
  const V factor = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(half, bias)));
  const V other = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(hn::Sub(exponent, half), bias)));
  return hn::Mul(hn::Mul(p, factor), other);
}

// The maximum error over all floats is 5.4 ULP with fused multiply-add and 6.7 ULP without, near |x| = 6. Subnormal
// numbers and -0 are exact. The result may exceed 1 by 1 ULP.
//
// tanh(x) = x P(x^2) / Q(x^2) up to 8.7, 1 beyond, where tanh is within 1 ULP of 1. P and Q have degree 4 and constant
// term 1: the minimax quotient (Remez exchange in 60 digits on the relative error, 2.2e-8), whose other
// coefficients were then moved by single ULPs to minimise the maximum error of the fp32 evaluation. All are positive,
// so there is no cancellation.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V tanh(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  const V y = hn::Mul(x, x);

  V p = hn::Set(d, 1.33843017e-8f);
  p = hn::MulAdd(p, y, hn::Set(d, 2.06358272e-5f));
  p = hn::MulAdd(p, y, hn::Set(d, 3.49745853e-3f));
  p = hn::MulAdd(p, y, hn::Set(d, 1.33826867e-1f));
  p = hn::MulAdd(p, y, one);

  V q = hn::Set(d, 7.79024901e-7f);
  q = hn::MulAdd(q, y, hn::Set(d, 3.28851864e-4f));
  q = hn::MulAdd(q, y, hn::Set(d, 2.58843619e-2f));
  q = hn::MulAdd(q, y, hn::Set(d, 4.67160076e-1f));
  q = hn::MulAdd(q, y, one);

  const V inner = hn::Div(hn::Mul(x, p), q);
  return hn::IfThenElse(hn::Gt(y, hn::Set(d, 8.7f * 8.7f)), hn::CopySignToAbs(one, x), inner);
}

}  // namespace attn::internal::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
