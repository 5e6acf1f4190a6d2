// SPDX-License-Identifier: Apache-2.0
//
// The one rule by which a result stored in type T is compared with the reference:
//
//   |got - value| <= k eps(T) |value| + (c eps(fp32) + r eps(I)) terms
//
// k, c and r come from one table with a row per operation. I is the type to which the operation rounds its intermediate
// results; if that is fp32, the last part is omitted. NaN and infinities must occur exactly where the reference,
// rounded to T, has them.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "attn_cuda/attn_cuda.h"
#include "reference/sum.h"

namespace attn::test {

enum class Operation {
  additive_forward,
  additive_backward,
  pooling_forward,
  pooling_backward,
  projected_forward,
  projected_backward,
  lstm_forward,
  lstm_backward,
  embedding,
  dense,
  cross_entropy,
  adam,
};

struct Tolerance {
  double k;  // for rounding the stored result itself
  double c;  // error of its reductions, in units of eps(fp32) times their absolute terms
  double r;  // error of 16-bit intermediate results, in units of that type's eps times the same terms
};

Tolerance tolerance(Operation operation);

// The largest error of any element as a multiple of its tolerance; at most 1 passes. It is infinite if a NaN or an
// infinity is missing or unexpected, if the sizes differ, or if the reference has no finite scale for a finite value.
double worst_ratio(Operation operation, const std::vector<float>& got, const reference::Sum& expected,
                   attn_dtype_t dtype = ATTN_DTYPE_FP32, attn_dtype_t inside = ATTN_DTYPE_FP32);

// Whether every element of `got`, a tensor of this shape, is within its tolerance; the failure message names the worst
// one.
::testing::AssertionResult close(Operation operation, const std::vector<float>& got, const reference::Sum& expected,
                                 const std::vector<std::int64_t>& shape, attn_dtype_t dtype = ATTN_DTYPE_FP32,
                                 attn_dtype_t inside = ATTN_DTYPE_FP32);

// Terms for a result that the reference gives without them: |value| + scale per element, where `scale` is the magnitude
// of what cancelled in it (1 / B in the gradient of a mean loss, |p| before a step of an optimiser).
reference::Sum with_scale(const std::vector<double>& value, double scale = 0);

// The largest error of `got` as a multiple of the largest error of `naive`, both relative to the terms. Half a unit in
// the last place counts as an error that any implementation may have. A ratio above 2 calls for an explanation. The
// naive result comes from plain fp32 loops, such as forward(numbers<float>(input)).o of reference/formulas/additive.h,
// rounded to the type.
double ratio_to_naive(const std::vector<float>& got, const std::vector<float>& naive, const reference::Sum& expected,
                      attn_dtype_t dtype = ATTN_DTYPE_FP32);

}  // namespace attn::test
