// SPDX-License-Identifier: Apache-2.0
//
// Cases that the formulas alone do not define: empty rows, padding, scores beyond the range of exp, NaN and infinities.
#include <gtest/gtest.h>

#include <cmath>

#include "reference/formulas/scaled.h"
#include "support/inputs.h"

namespace attn::test {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr AdditiveShape kShape{2, 2, 3, 2, 2};

reference::AdditiveInput input(const std::vector<std::int32_t>& lengths) {
  Random random(11);
  return random_input(kShape, lengths, random);
}

double sum(const std::vector<double>& values, std::size_t first, std::size_t count) {
  double total = 0;
  for (std::size_t i = first; i < first + count; ++i) total += values[i];
  return total;
}

TEST(Reference, EmptyRowIsZero) {
  const auto in = input({3, 0});
  const auto out = additive_forward(in);
  const auto d = additive_backward(in, std::vector<double>(8, 1), std::vector<double>(12, 1));
  for (std::size_t i = 4; i < 8; ++i) EXPECT_EQ(out.o.value[i], 0);
  for (std::size_t i = 6; i < 12; ++i) EXPECT_EQ(out.weights.value[i], 0);
  EXPECT_EQ(out.lse.value[2], -kInf);
  EXPECT_EQ(out.lse.value[3], -kInf);
  for (std::size_t i = 4; i < 8; ++i) EXPECT_EQ(d.q.value[i], 0);
  for (std::size_t i = 6; i < 12; ++i) EXPECT_EQ(d.k.value[i], 0);
  for (std::size_t i = 6; i < 12; ++i) EXPECT_EQ(d.x.value[i], 0);
}

TEST(Reference, PackedKeysGiveWhatPaddedOnesGive) {
  const std::vector<std::int32_t> lengths = {3, 1};
  const auto padded = input(lengths);
  auto in = padded;
  in.k = valid_rows(in.k, in.T, in.A, lengths);
  in.x = valid_rows(in.x, in.T, in.D, lengths);
  in.cu_seqlens = cumulative(lengths);
  in.lengths.clear();
  const auto out = additive_forward(in), expected = additive_forward(padded);
  EXPECT_EQ(out.o.value, expected.o.value);
  EXPECT_EQ(out.weights.value, expected.weights.value);
  const std::vector<double> d_o(8, 1), d_weights = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3};
  const auto d = additive_backward(in, d_o, d_weights), d_expected = additive_backward(padded, d_o, d_weights);
  EXPECT_EQ(d.q.value, d_expected.q.value);
  EXPECT_EQ(d.k.value, valid_rows(d_expected.k.value, in.T, in.A, lengths));
  EXPECT_EQ(d.v.value, d_expected.v.value);
  EXPECT_EQ(d.x.value, valid_rows(d_expected.x.value, in.T, in.D, lengths));
}

TEST(Reference, PackedPositionsGiveWhatPaddedOnesGive) {
  const std::vector<std::int32_t> lengths = {3, 1};
  Random random(12);
  const auto padded = random_input(PoolingShape{2, 3, 2}, lengths, random);
  auto in = padded;
  in.x = valid_rows(in.x, in.T, in.D, lengths);
  in.cu_seqlens = cumulative(lengths);
  in.lengths.clear();
  EXPECT_EQ(pooling_forward(in).o.value, pooling_forward(padded).o.value);
  const std::vector<double> d_o(4, 1), d_weights = {1, 2, 3, 4, 5, 6};
  const auto d = pooling_backward(in, d_o, d_weights), d_expected = pooling_backward(padded, d_o, d_weights);
  EXPECT_EQ(d.x.value, valid_rows(d_expected.x.value, in.T, in.D, lengths));
  EXPECT_EQ(d.w.value, d_expected.w.value);
  EXPECT_EQ(d.b.value, d_expected.b.value);
}

TEST(Reference, WeightsBehindTheLengthAreZeroAndTheOthersSumToOne) {
  const auto weights = additive_forward(input({2, 1})).weights.value;
  EXPECT_EQ(weights[2], 0);
  EXPECT_NEAR(sum(weights, 0, 3), 1, 1e-15);
  EXPECT_EQ(weights[6], 1);
  EXPECT_EQ(sum(weights, 7, 2), 0);
}

TEST(Reference, ScoresBeyondTheRangeOfExpKeepTheirWeights) {
  auto in = input({});
  in.v = {2000, 2000};
  in.k.assign(in.k.size(), 30);  // tanh is 1 everywhere, so all scores are 4000
  const auto out = additive_forward(in);
  for (double weight : out.weights.value) EXPECT_NEAR(weight, 1.0 / 3, 1e-12);
  EXPECT_NEAR(out.lse.value[0], 4000 + std::log(3.0), 1e-9);
}

TEST(Reference, NanInValidDataReachesItsItemAndNoOther) {
  auto in = input({3, 2});
  in.k[0] = kNan;
  const auto out = additive_forward(in);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(std::isnan(out.o.value[i]));
  for (std::size_t i = 4; i < 8; ++i) EXPECT_TRUE(std::isfinite(out.o.value[i]));
}

TEST(Reference, SaturatedTanhKeepsAFiniteScale) {
  auto in = input({});
  in.q[0] = kInf;
  const auto out = additive_forward(in);
  const auto d = additive_backward(in, std::vector<double>(8, 1), {});
  for (const reference::Sum* sum : {&out.o, &out.weights, &out.lse, &d.q, &d.k, &d.v, &d.x})
    for (std::size_t i = 0; i < sum->value.size(); ++i)
      EXPECT_TRUE(std::isfinite(sum->value[i]) && std::isfinite(sum->terms[i]));
  EXPECT_EQ(d.q.value[0], 0);
}

TEST(Reference, LstmIsZeroBehindTheLength) {
  Random random(5);
  const auto in = random_input(LstmShape{2, 3, 2, 2}, {2, 0}, random);
  const auto y = reference::lstm_forward(in).value;
  for (std::size_t i = 0; i < 8; ++i) EXPECT_NE(y[i], 0);
  for (std::size_t i = 8; i < y.size(); ++i) EXPECT_EQ(y[i], 0);
}

// The rule stated in formulas/scaled.h, on numbers worked out by hand.
TEST(Scaled, PropagatesTheScale) {
  using reference::Scaled;
  const Scaled cancelled = Scaled(3) - Scaled(3);
  EXPECT_EQ(cancelled.value, 0);
  EXPECT_EQ(cancelled.scale, 6);
  EXPECT_EQ((Scaled(-2) * Scaled(5)).scale, 10);
  EXPECT_EQ((cancelled * Scaled(-5)).scale, 30);
  EXPECT_EQ((Scaled(2, 3) * Scaled(5, 7)).scale, 3 * 5 + 2 * 7 - 10);
  EXPECT_EQ(exp(Scaled(0, 4)).scale, 5);
  EXPECT_EQ(log(Scaled(1, 3)).scale, 3);
  EXPECT_EQ(tanh(Scaled(0, 2)).scale, 3);
  EXPECT_EQ(sigmoid(Scaled(0, 2)).scale, 1.5);
}

}  // namespace
}  // namespace attn::test
