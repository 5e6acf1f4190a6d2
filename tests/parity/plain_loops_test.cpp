// SPDX-License-Identifier: Apache-2.0
//
// Checks that the tolerances distinguish correct from incorrect results: the formulas in plain fp32 loops pass at every
// shape, and an error of one thousandth in a single weight is detected.
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "reference/formulas/lstm.h"
#include "reference/formulas/pooling.h"
#include "reference/formulas/projected.h"
#include "support/inputs.h"
#include "support/tolerance.h"

namespace attn::test {
namespace {

using reference::numbers;
using reference::Scaled;
using reference::to_sum;

struct Judgement {
  const char* name;
  double ratio;  // error divided by tolerance
};

using Judgements = std::vector<Judgement>;

Judgement judge(Operation operation, const char* name, const std::vector<float>& got,
                const std::vector<Scaled>& expected) {
  return {name, worst_ratio(operation, got, to_sum(expected))};
}

// Each overload compares fp32 loops on `other` with the reference on `input`.
Judgements judge_all(const reference::AdditiveInput& input, const reference::AdditiveInput& other, Random& random) {
  const auto got = forward(numbers<float>(other));
  const auto expected = forward(numbers<Scaled>(input));
  const auto d_o = widen(random.normal(input.B * input.Q * input.D));
  const auto d_weights = widen(random.normal(input.B * input.Q * input.T));
  const auto d_got = backward(numbers<float>(other), numbers<float>(d_o), numbers<float>(d_weights));
  const auto d_expected = backward(numbers<Scaled>(input), numbers<Scaled>(d_o), numbers<Scaled>(d_weights));
  return {judge(Operation::additive_forward, "o", got.o, expected.o),
          judge(Operation::additive_forward, "weights", got.weights, expected.weights),
          judge(Operation::additive_forward, "lse", got.lse, expected.lse),
          judge(Operation::additive_backward, "d_q", d_got.q, d_expected.q),
          judge(Operation::additive_backward, "d_k", d_got.k, d_expected.k),
          judge(Operation::additive_backward, "d_v", d_got.v, d_expected.v),
          judge(Operation::additive_backward, "d_x", d_got.x, d_expected.x)};
}

Judgements judge_all(const reference::PoolingInput& input, const reference::PoolingInput& other, Random& random) {
  const auto got = forward(numbers<float>(other));
  const auto expected = forward(numbers<Scaled>(input));
  const auto d_o = widen(random.normal(input.B * input.D));
  const auto d_weights = widen(random.normal(input.B * input.T));
  const auto d_got = backward(numbers<float>(other), numbers<float>(d_o), numbers<float>(d_weights));
  const auto d_expected = backward(numbers<Scaled>(input), numbers<Scaled>(d_o), numbers<Scaled>(d_weights));
  return {judge(Operation::pooling_forward, "o", got.o, expected.o),
          judge(Operation::pooling_forward, "weights", got.weights, expected.weights),
          judge(Operation::pooling_backward, "d_x", d_got.x, d_expected.x),
          judge(Operation::pooling_backward, "d_w", d_got.w, d_expected.w),
          judge(Operation::pooling_backward, "d_b", d_got.b, d_expected.b)};
}

Judgements judge_all(const reference::ProjectedInput& input, const reference::ProjectedInput& other, Random& random) {
  const auto got = forward(numbers<float>(other));
  const auto expected = forward(numbers<Scaled>(input));
  const auto d_o = widen(random.normal(input.B * input.Q * input.D));
  const auto d_weights = widen(random.normal(input.B * input.Q * input.T));
  const auto d_got = backward(numbers<float>(other), numbers<float>(d_o), numbers<float>(d_weights));
  const auto d_expected = backward(numbers<Scaled>(input), numbers<Scaled>(d_o), numbers<Scaled>(d_weights));
  return {judge(Operation::projected_forward, "o", got.o, expected.o),
          judge(Operation::projected_forward, "weights", got.weights, expected.weights),
          judge(Operation::projected_backward, "d_x", d_got.x, d_expected.x),
          judge(Operation::projected_backward, "d_h", d_got.h, d_expected.h),
          judge(Operation::projected_backward, "d_w_q", d_got.w_q, d_expected.w_q),
          judge(Operation::projected_backward, "d_w_k", d_got.w_k, d_expected.w_k),
          judge(Operation::projected_backward, "d_b", d_got.b, d_expected.b),
          judge(Operation::projected_backward, "d_v", d_got.v, d_expected.v)};
}

Judgements judge_all(const reference::LstmInput& input, const reference::LstmInput& other, Random& random) {
  const auto d_y = padded(random, input.B, input.T, input.directions * input.H, input.lengths);
  const auto d_got = backward(numbers<float>(other), numbers<float>(d_y));
  const auto d_expected = backward(numbers<Scaled>(input), numbers<Scaled>(d_y));
  return {judge(Operation::lstm_forward, "y", forward(numbers<float>(other)), forward(numbers<Scaled>(input))),
          judge(Operation::lstm_backward, "d_x", d_got.x, d_expected.x),
          judge(Operation::lstm_backward, "d_kernel", d_got.kernel, d_expected.kernel),
          judge(Operation::lstm_backward, "d_recurrent", d_got.recurrent, d_expected.recurrent),
          judge(Operation::lstm_backward, "d_bias", d_got.bias, d_expected.bias)};
}

template <class Shape>
void expect_within_tolerance(const std::vector<Shape>& shapes) {
  for (const Shape& shape : shapes) {
    std::ostringstream name;
    name << shape;
    SCOPED_TRACE(name.str());
    Random random(3);
    const auto input = random_input(shape, random.lengths(shape.B, shape.T), random);
    for (const Judgement& judgement : judge_all(input, input, random)) EXPECT_LE(judgement.ratio, 1) << judgement.name;
  }
}

// `weights` is the member of the input in which one element is changed.
template <class Shape, class Input>
void expect_defect_noticed(const Shape& shape, std::vector<double> Input::*weights) {
  Random random(4);
  const Input input = random_input(shape, {}, random);
  Input other = input;
  double& weight = (other.*weights)[(other.*weights).size() / 2];
  weight += std::copysign(1e-3, weight);
  for (const Judgement& judgement : judge_all(input, other, random)) EXPECT_GT(judgement.ratio, 1) << judgement.name;
}

TEST(PlainLoops, Additive) { expect_within_tolerance(additive_shapes()); }
TEST(PlainLoops, Pooling) { expect_within_tolerance(pooling_shapes()); }
TEST(PlainLoops, Projected) { expect_within_tolerance(projected_shapes()); }
TEST(PlainLoops, Lstm) { expect_within_tolerance(lstm_shapes()); }

TEST(SmallDefect, Additive) { expect_defect_noticed(AdditiveShape{2, 3, 33, 32, 31}, &reference::AdditiveInput::v); }
TEST(SmallDefect, Pooling) { expect_defect_noticed(PoolingShape{2, 33, 31}, &reference::PoolingInput::w); }
TEST(SmallDefect, Projected) {
  expect_defect_noticed(ProjectedShape{2, 3, 9, 32, 31, 7, false}, &reference::ProjectedInput::w_k);
}
TEST(SmallDefect, Lstm) { expect_defect_noticed(LstmShape{2, 33, 31, 32}, &reference::LstmInput::recurrent); }

}  // namespace
}  // namespace attn::test
