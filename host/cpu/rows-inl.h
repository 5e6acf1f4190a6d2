// SPDX-License-Identifier: Apache-2.0
//
// Vectorised loops over the rows of an fp32 matrix, for any alignment and width, without access out of bounds.
#if defined(ATTN_CPU_ROWS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ATTN_CPU_ROWS_INL_H
#undef ATTN_CPU_ROWS_INL_H
#else
#define ATTN_CPU_ROWS_INL_H
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "cpu/math-inl.h"
#include "cpu/splits.h"

HWY_BEFORE_NAMESPACE();
namespace attn::internal::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Capped, so that a tile of scores is always a whole number of vectors.
using Float = hn::CappedTag<float, kTileKeys>;
using Vector = hn::Vec<Float>;

HWY_INLINE std::int64_t lanes() { return static_cast<std::int64_t>(hn::Lanes(Float())); }
HWY_INLINE Vector zero() { return hn::Zero(Float()); }
HWY_INLINE Vector set(float value) { return hn::Set(Float(), value); }
HWY_INLINE float sum_of_lanes(Vector v) { return hn::GetLane(hn::SumOfLanes(Float(), v)); }

// How one step of a loop accesses memory: with all lanes, or at the end of a row with the first lanes only. The others
// are zero.
struct Whole {
  HWY_INLINE Vector load(const float* from) const { return hn::LoadU(Float(), from); }
  HWY_INLINE void store(Vector v, float* to) const { hn::StoreU(v, Float(), to); }
  HWY_INLINE Vector only(Vector v) const { return v; }
};

struct First {
  std::int64_t count;

  HWY_INLINE Vector load(const float* from) const {
#if HWY_MEM_OPS_MIGHT_FAULT
    HWY_ALIGN float buffer[hn::MaxLanes(Float())] = {};
    std::copy_n(from, count, buffer);
    return hn::Load(Float(), buffer);
#else
    return hn::MaskedLoad(hn::FirstN(Float(), static_cast<std::size_t>(count)), Float(), from);
#endif
  }

  HWY_INLINE void store(Vector v, float* to) const {
#if HWY_MEM_OPS_MIGHT_FAULT
    HWY_ALIGN float buffer[hn::MaxLanes(Float())];
    hn::Store(v, Float(), buffer);
    std::copy_n(buffer, count, to);
#else
    hn::BlendedStore(v, hn::FirstN(Float(), static_cast<std::size_t>(count)), Float(), to);
#endif
  }

  HWY_INLINE Vector only(Vector v) const {
    return hn::IfThenElseZero(hn::FirstN(Float(), static_cast<std::size_t>(count)), v);
  }
};

// Calls step(access, at) for each vector of a row of `width` floats, with Whole or First as access.
template <class Step>
HWY_INLINE void for_vectors(std::int64_t width, const Step& step) {
  std::int64_t at = 0;
  for (; at + lanes() <= width; at += lanes()) step(Whole(), at);
  if (at < width) step(First{width - at}, at);
}

// sums[j] = the sum over the lanes of what term(access, row_j, at, sum) accumulates along row j, for j < count; rows
// [count, width]. Four rows are processed together to hide the latency of a step; in the last group, rows after the end
// repeat the last one.
template <class Term>
HWY_INLINE void reduce_rows(const float* rows, std::int64_t count, std::int64_t width, const Term& term, float* sums) {
  for (std::int64_t j = 0; j < count; j += 4) {
    const float* const row0 = rows + j * width;
    const float* const row1 = rows + std::min(j + 1, count - 1) * width;
    const float* const row2 = rows + std::min(j + 2, count - 1) * width;
    const float* const row3 = rows + std::min(j + 3, count - 1) * width;
    Vector sum0 = zero(), sum1 = zero(), sum2 = zero(), sum3 = zero();
    std::int64_t at = 0;
    for (; at + lanes() <= width; at += lanes()) {
      sum0 = term(Whole(), row0, at, sum0);
      sum1 = term(Whole(), row1, at, sum1);
      sum2 = term(Whole(), row2, at, sum2);
      sum3 = term(Whole(), row3, at, sum3);
    }
    if (at < width) {
      const First rest{width - at};
      sum0 = term(rest, row0, at, sum0);
      sum1 = term(rest, row1, at, sum1);
      sum2 = term(rest, row2, at, sum2);
      sum3 = term(rest, row3, at, sum3);
    }
    sums[j] = sum_of_lanes(sum0);
    if (j + 1 < count) sums[j + 1] = sum_of_lanes(sum1);
    if (j + 2 < count) sums[j + 2] = sum_of_lanes(sum2);
    if (j + 3 < count) sums[j + 3] = sum_of_lanes(sum3);
  }
}

// The term of reduce_rows() for row . w.
struct Dot {
  const float* w;  // [width]

  template <class Access>
  HWY_INLINE Vector operator()(Access access, const float* row, std::int64_t at, Vector sum) const {
    return hn::MulAdd(access.load(w + at), access.load(row + at), sum);
  }
};

// The term of reduce_rows() for v . tanh(q + row), the score of additive attention.
struct AdditiveScore {
  const float* q;  // [A]
  const float* v;  // [A]; lanes beyond A are loaded as zero and so add nothing

  template <class Access>
  HWY_INLINE Vector operator()(Access access, const float* row, std::int64_t at, Vector sum) const {
    return hn::MulAdd(access.load(v + at), tanh(Float(), hn::Add(access.load(q + at), access.load(row + at))), sum);
  }
};

// out [width] = scale out + sum_j coefficients[j stride] row_j, rows [count, width]. The sum is formed before it
// is added to `out`: long sums are accumulated tile by tile, which loses less to rounding.
HWY_INLINE void combine_rows(const float* rows, std::int64_t count, std::int64_t width, const float* coefficients,
                             std::int64_t stride, float scale, float* out) {
  const std::int64_t step = lanes();
  std::int64_t at = 0;
  for (; at + 4 * step <= width; at += 4 * step) {
    Vector sum0 = zero(), sum1 = zero(), sum2 = zero(), sum3 = zero();
    for (std::int64_t j = 0; j < count; ++j) {
      const Vector c = set(coefficients[j * stride]);
      const float* const row = rows + j * width + at;
      sum0 = hn::MulAdd(c, hn::LoadU(Float(), row), sum0);
      sum1 = hn::MulAdd(c, hn::LoadU(Float(), row + step), sum1);
      sum2 = hn::MulAdd(c, hn::LoadU(Float(), row + 2 * step), sum2);
      sum3 = hn::MulAdd(c, hn::LoadU(Float(), row + 3 * step), sum3);
    }
    float* const to = out + at;
    hn::StoreU(hn::MulAdd(set(scale), hn::LoadU(Float(), to), sum0), Float(), to);
    hn::StoreU(hn::MulAdd(set(scale), hn::LoadU(Float(), to + step), sum1), Float(), to + step);
    hn::StoreU(hn::MulAdd(set(scale), hn::LoadU(Float(), to + 2 * step), sum2), Float(), to + 2 * step);
    hn::StoreU(hn::MulAdd(set(scale), hn::LoadU(Float(), to + 3 * step), sum3), Float(), to + 3 * step);
  }
  for_vectors(width - at, [&](auto access, std::int64_t rest) HWY_ATTR {
    Vector sum = zero();
    for (std::int64_t j = 0; j < count; ++j)
      sum = hn::MulAdd(set(coefficients[j * stride]), access.load(rows + j * width + at + rest), sum);
    float* const to = out + at + rest;
    access.store(hn::MulAdd(set(scale), access.load(to), sum), to);
  });
}

// out [width] = sum_j row_j, summed in order; rows [count, width].
HWY_INLINE void sum_rows(const float* rows, std::int64_t count, std::int64_t width, float* out) {
  const float one = 1.0f;
  std::fill_n(out, width, 0.0f);
  combine_rows(rows, count, width, &one, 0, 0.0f, out);
}

}  // namespace attn::internal::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
