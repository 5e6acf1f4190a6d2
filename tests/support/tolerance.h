// SPDX-License-Identifier: Apache-2.0
//
// The one rule by which a result in storage of type T is judged against the reference:
//
//   |got - value| <= k eps(T) |value| + (c eps(fp32) + r eps(I)) terms
//
// with k, c and r from one table, a row per operation. I is the type to which the operation rounds what it makes on its
// way; there is no such part where that is fp32. NaN and infinities must stand where the reference, rounded to T, has
// them.
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
  double k;  // roundings of the stored result itself
  double c;  // error of the reductions behind it, in units of eps(fp32) times their absolute terms
  double r;  // error of intermediate results in 16 bits, in units of eps of that type times the same terms
};

Tolerance tolerance(Operation operation);

// Of all elements the largest error, measured in its tolerance: up to 1 passes. Infinite where a NaN or an infinity
// is out of place, where the sizes differ, and where the reference has no finite scale for a finite value.
double worst_ratio(Operation operation, const std::vector<float>& got, const reference::Sum& expected,
                   attn_dtype_t dtype = ATTN_DTYPE_FP32, attn_dtype_t inside = ATTN_DTYPE_FP32);

// Whether every element of `got`, a tensor of this shape, is within its tolerance; if not, the worst one is named.
::testing::AssertionResult close(Operation operation, const std::vector<float>& got, const reference::Sum& expected,
                                 const std::vector<std::int64_t>& shape, attn_dtype_t dtype = ATTN_DTYPE_FP32,
                                 attn_dtype_t inside = ATTN_DTYPE_FP32);

// For a result that the reference gives without its terms: those of an element are |value| + scale, where `scale` is
// the size of what cancelled in it (1 / B in the gradient of a mean loss, |p| before a step of an optimiser).
reference::Sum with_scale(const std::vector<double>& value, double scale = 0);

// The largest error of `got` as a multiple of the largest error of `naive`, both relative to the terms; half a unit in
// the last place counts as error that any implementation may have. Above 2 is a finding. The naive result is that of
// plain fp32 loops, such as forward(numbers<float>(input)).o of reference/formulas/additive.h, rounded to the type.
double ratio_to_naive(const std::vector<float>& got, const std::vector<float>& naive, const reference::Sum& expected,
                      attn_dtype_t dtype = ATTN_DTYPE_FP32);

}  // namespace attn::test
