// SPDX-License-Identifier: Apache-2.0
#include "support/tolerance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>

#include "support/storage.h"

namespace attn::test {
namespace {

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// NaN, +inf and -inf are categories of their own; all finite numbers share the fourth.
template <class Number>
int category(Number number) {
  if (std::isnan(number)) return 0;
  if (std::isinf(number)) return std::signbit(number) ? 1 : 2;
  return 3;
}

double ratio(const Tolerance& rule, attn_dtype_t dtype, attn_dtype_t inside, float got, double value, double terms) {
  if (category(got) != category(rounded(dtype, value))) return kInfinity;
  if (!std::isfinite(got)) return 0;
  if (!std::isfinite(terms)) return kInfinity;
  const double error = std::abs(static_cast<double>(got) - value);
  if (error == 0) return 0;
  // Below its smallest normal number a type keeps the absolute precision that it has there. Backends may flush fp32
  // numbers in that range to zero.
  const Storage type = storage_of(dtype);
  const double of_terms = rule.c * kEpsilon + (inside == ATTN_DTYPE_FP32 ? 0 : rule.r * storage_of(inside).epsilon());
  const double allowed = rule.k * type.epsilon() * std::max(std::abs(value), type.least_normal()) + of_terms * terms;
  return error / std::max(allowed, static_cast<double>(std::numeric_limits<float>::min()));
}

// The distance between a result and its expected value, in units in the last place of the type.
double units_between(attn_dtype_t dtype, double got, double value) {
  const Storage type = storage_of(dtype);
  const double nearest = rounded(dtype, value);
  const int exponent = nearest == 0 ? type.least : std::max(std::ilogb(nearest), type.least);
  return std::abs(got - nearest) / std::ldexp(type.epsilon(), exponent);
}

std::string index_tuple(std::size_t flat, const std::vector<std::int64_t>& shape) {
  std::string tuple;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(shape[axis]);
    tuple = std::to_string(flat % extent) + (tuple.empty() ? "" : ", ") + tuple;
    flat /= extent;
  }
  return "[" + tuple + "]";
}

}  // namespace

// One rounding has an error of at most half of eps(fp32); k = 1 allows the stored result two of them everywhere. The
// terms already contain the worst case of one rounding per operation, so c covers what exceeds it: functions with an
// error above half a unit, and roundings that accumulate in long sums. tests/parity/plain_loops_test.cpp compares
// attention and LSTM with plain fp32 loops, whose serial sums are the least accurate order of summation: they need c
// between 0.05 and 0.96.
//
// r follows from the same terms. They propagate one error of each operation to the result, proportional to the error
// and at least as large as an intermediate result (scaled.h). Rounding to a type I has an error of at most eps(I) / 2
// of that, so r = 1/2 suffices where one such rounding dominates. Where many roundings contribute, their signs mostly
// cancel, while the terms add them up as if all had the same sign. On the virtual GPU, where the LSTM rounds nothing
// internally, gradients stored in fp32 need less than a tenth of it.
Tolerance tolerance(Operation operation) {
  switch (operation) {
    // Two units: vector libraries compute tanh to four units in the last place, which is 2 eps(fp32) next to 1. The
    // errors of exp and of the sums over A, T and D are smaller.
    case Operation::additive_forward:
      return {1, 2, 0};
    // The same tanh, recomputed. The terms already account for a scale of 2 to 3 in 1 - tanh^2.
    case Operation::additive_backward:
      return {1, 2, 0};
    // One tanh per position, so its errors do not average out: the same bound as for a coherent sum.
    case Operation::pooling_forward:
      return {1, 2, 0};
    case Operation::pooling_backward:
      return {1, 2, 0};
    // Two more matrix products, whose errors the terms propagate through the tanh, and no new function. The
    // intermediate results that are rounded are both projections, and therefore the weights.
    case Operation::projected_forward:
      return {1, 2, 0.5};
    // As in the forward pass; also rounded are the gradients of both projections, the weights that the backward pass is
    // given, and its contributions to d_x.
    case Operation::projected_backward:
      return {1, 2, 0.5};
    // Five functions per cell, each accurate to two units in the last place of 1. The terms restart at each step
    // (formulas/lstm.h), so c also covers the earlier errors that a stable recurrence propagates, which are smaller
    // than the new error of a step. The intermediate results that are rounded are the gates and states: y, whose terms
    // are 1 wherever it enters the next step, and c.
    case Operation::lstm_forward:
      return {1, 2, 0.5};
    // As in the forward pass; also rounded are the gradients of the gates, whose terms are the largest of them wherever
    // they are propagated.
    case Operation::lstm_backward:
      return {1, 2, 0.5};
    // A sum of copied rows, which is long for frequent ids.
    case Operation::embedding:
      return {1, 2, 0};
    // One dot product, or a sum over the batch.
    case Operation::dense:
      return {1, 2, 0};
    // exp, then log1p or a division, and four roundings with an error of half a unit to one unit each.
    case Operation::cross_entropy:
      return {1, 3, 0};
    // A chain of ten roundings: two moments, square root, learning rate, quotient, difference.
    case Operation::adam:
      return {1, 4, 0};
  }
  return {0, 0, 0};
}

double worst_ratio(Operation operation, const std::vector<float>& got, const reference::Sum& expected,
                   attn_dtype_t dtype, attn_dtype_t inside) {
  if (got.size() != expected.value.size() || got.size() != expected.terms.size()) return kInfinity;
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i)
    worst = std::max(worst, ratio(tolerance(operation), dtype, inside, got[i], expected.value[i], expected.terms[i]));
  return worst;
}

::testing::AssertionResult close(Operation operation, const std::vector<float>& got, const reference::Sum& expected,
                                 const std::vector<std::int64_t>& shape, attn_dtype_t dtype, attn_dtype_t inside) {
  std::size_t count = 1;
  for (std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
  if (got.size() != count || expected.value.size() != count || expected.terms.size() != count)
    return ::testing::AssertionFailure() << "sizes differ: the shape has " << count << " elements, got " << got.size()
                                         << ", the reference " << expected.value.size() << " with "
                                         << expected.terms.size() << " terms";

  const Tolerance rule = tolerance(operation);
  std::size_t worst = 0, failures = 0;
  double worst_of_all = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double here = ratio(rule, dtype, inside, got[i], expected.value[i], expected.terms[i]);
    if (here > 1) ++failures;
    if (here > worst_of_all) {
      worst_of_all = here;
      worst = i;
    }
  }
  if (failures == 0) return ::testing::AssertionSuccess();

  const double value = expected.value[worst];
  std::ostringstream text;
  text.precision(9);
  text << failures << " of " << count << " elements out of tolerance, the worst at " << index_tuple(worst, shape)
       << ": got " << got[worst] << ", expected " << value << ", terms " << expected.terms[worst];
  if (category(got[worst]) == 3 && category(value) == 3)
    text << ", error " << std::abs(got[worst] - value) << " or " << units_between(dtype, got[worst], value)
         << " ULP of " << name_of(dtype);
  text << ", error to tolerance " << worst_of_all;
  return ::testing::AssertionFailure() << text.str();
}

reference::Sum with_scale(const std::vector<double>& value, double scale) {
  reference::Sum sum{value, value};
  for (double& terms : sum.terms) terms = std::abs(terms) + scale;
  return sum;
}

double ratio_to_naive(const std::vector<float>& got, const std::vector<float>& naive, const reference::Sum& expected,
                      attn_dtype_t dtype) {
  if (got.size() != expected.value.size() || naive.size() != expected.value.size()) return kInfinity;
  const Tolerance terms_alone{0, 1, 0};
  const Storage type = storage_of(dtype);
  double ours = 0, theirs = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double value = expected.value[i], terms = expected.terms[i];
    const auto plain = static_cast<float>(rounded(dtype, naive[i]));
    ours = std::max(ours, ratio(terms_alone, dtype, ATTN_DTYPE_FP32, got[i], value, terms));
    if (std::isfinite(value) && terms > 0)
      theirs = std::max({theirs, ratio(terms_alone, dtype, ATTN_DTYPE_FP32, plain, value, terms),
                         type.epsilon() / kEpsilon / 2 * std::max(std::abs(value), type.least_normal()) / terms});
  }
  return ours == 0 ? 0 : ours / theirs;
}

}  // namespace attn::test
