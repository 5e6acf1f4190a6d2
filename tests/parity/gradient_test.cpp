// SPDX-License-Identifier: Apache-2.0
//
// Every gradient of the reference compared with central differences of its forward pass.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "reference/attention.h"
#include "reference/layers.h"
#include "reference/lstm.h"
#include "support/guarded_buffer.h"
#include "support/random.h"

namespace attn::test {
namespace {

using Vector = std::vector<double>;
using Lengths = std::vector<std::int32_t>;

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// The five-point formula: with this step the truncation and cancellation errors both stay near 1e-12 of the loss.
double derivative(double& parameter, const std::function<double()>& loss) {
  constexpr double kStep = 1e-3;
  const double middle = parameter;
  const auto at = [&](int steps) {
    parameter = middle + steps * kStep;
    return loss();
  };
  const double difference = 8 * (at(1) - at(-1)) - (at(2) - at(-2));
  parameter = middle;
  return difference / (12 * kStep);
}

// `gradient` is the gradient of loss() with respect to `parameter`, which loss() reads. NaN padding is perturbed as
// well, since no result may depend on it.
void expect_gradient(const char* name, Vector& parameter, const reference::Sum& gradient,
                     const std::function<double()>& loss) {
  SCOPED_TRACE(name);
  ASSERT_EQ(gradient.value.size(), parameter.size());
  double largest = 1e-2;
  for (double value : gradient.value) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < parameter.size(); ++i)
    EXPECT_NEAR(gradient.value[i], derivative(parameter[i], loss), 1e-8 * largest) << "element " << i;
}

bool is_zero(const reference::Sum& gradient) {
  return std::all_of(gradient.value.begin(), gradient.value.end(), [](double value) { return value == 0; });
}

class Source {
 public:
  explicit Source(std::uint64_t seed) : random_(seed) {}
  Vector normal(std::int64_t count) { return widen(random_.normal(count)); }

  // [blocks, T, width], with NaN at or beyond the length of the item to which a block belongs. All items have equally
  // many blocks.
  Vector padded(std::int64_t blocks, std::int64_t T, std::int64_t width, const Lengths& lengths) {
    std::vector<float> values = random_.normal(blocks * T * width);
    Lengths per_block;
    for (std::size_t block = 0; !lengths.empty() && block < static_cast<std::size_t>(blocks); ++block)
      per_block.push_back(lengths[block * lengths.size() / static_cast<std::size_t>(blocks)]);
    fill_padding(values, T, width, per_block);
    return widen(values);
  }

 private:
  Random random_;
};

// The coefficients of the outputs in the loss: the gradient passed to the backward pass, with its NaN padding replaced
// by zeros.
Vector without_padding(Vector weights) {
  std::replace_if(
      weights.begin(), weights.end(), [](double value) { return std::isnan(value); }, 0.0);
  return weights;
}

constexpr std::int64_t B = 3, Q = 2, T = 4, A = 3, D = 5, H = 2, E = 3;

struct Variant {
  const char* name;
  Lengths lengths;
  bool d_weights;
};

class ReferenceGradient : public ::testing::TestWithParam<Variant> {
 protected:
  Source source{7};
  const Lengths& lengths = GetParam().lengths;
  // The gradient of `blocks` rows of weights.
  Vector d_weights(std::int64_t blocks) {
    return GetParam().d_weights ? source.padded(blocks, T, 1, lengths) : Vector();
  }
};

TEST_P(ReferenceGradient, Additive) {
  reference::AdditiveInput in{B,
                              Q,
                              T,
                              A,
                              D,
                              source.normal(B * Q * A),
                              source.padded(B, T, A, lengths),
                              source.normal(A),
                              source.padded(B, T, D, lengths),
                              lengths};
  const Vector d_o = source.normal(B * Q * D), d_w = d_weights(B * Q), d_w_valid = without_padding(d_w);
  const auto loss = [&] {
    const reference::AdditiveOutput out = additive_forward(in);
    return dot(d_o, out.o.value) + dot(d_w_valid, out.weights.value);
  };
  const reference::AdditiveGradient d = additive_backward(in, d_o, d_w);
  EXPECT_FALSE(is_zero(d.q));
  expect_gradient("q", in.q, d.q, loss);
  expect_gradient("k", in.k, d.k, loss);
  expect_gradient("v", in.v, d.v, loss);
  expect_gradient("x", in.x, d.x, loss);
}

TEST_P(ReferenceGradient, Pooling) {
  reference::PoolingInput in{B, T, D, source.padded(B, T, D, lengths), source.normal(D), source.normal(T), lengths};
  const Vector d_o = source.normal(B * D), d_w = d_weights(B), d_w_valid = without_padding(d_w);
  const auto loss = [&] {
    const reference::PoolingOutput out = pooling_forward(in);
    return dot(d_o, out.o.value) + dot(d_w_valid, out.weights.value);
  };
  const reference::PoolingGradient d = pooling_backward(in, d_o, d_w);
  EXPECT_FALSE(is_zero(d.w));
  expect_gradient("x", in.x, d.x, loss);
  expect_gradient("w", in.w, d.w, loss);
  expect_gradient("b", in.b, d.b, loss);
}

TEST_P(ReferenceGradient, PoolingWithoutBias) {
  reference::PoolingInput in{B, T, D, source.padded(B, T, D, lengths), source.normal(D), {}, lengths};
  const Vector d_o = source.normal(B * D);
  const auto loss = [&] { return dot(d_o, pooling_forward(in).o.value); };
  const reference::PoolingGradient d = pooling_backward(in, d_o, {});
  expect_gradient("x", in.x, d.x, loss);
  expect_gradient("w", in.w, d.w, loss);
  in.b.assign(T, 0);
  expect_gradient("b", in.b, d.b, loss);
}

TEST_P(ReferenceGradient, Projected) {
  for (bool shared : {false, true}) {
    SCOPED_TRACE(shared ? "shared query" : "query per item");
    reference::ProjectedInput in{B,
                                 Q,
                                 T,
                                 A,
                                 D,
                                 H,
                                 shared,
                                 source.padded(B, T, D, lengths),
                                 source.normal((shared ? 1 : B) * Q * H),
                                 source.normal(A * H),
                                 source.normal(A * D),
                                 source.normal(A),
                                 source.normal(A),
                                 lengths};
    const Vector d_o = source.normal(B * Q * D), d_w = d_weights(B * Q), d_w_valid = without_padding(d_w);
    const auto loss = [&] {
      const reference::AdditiveOutput out = projected_forward(in);
      return dot(d_o, out.o.value) + dot(d_w_valid, out.weights.value);
    };
    const reference::ProjectedGradient d = projected_backward(in, d_o, d_w);
    EXPECT_FALSE(is_zero(d.h));
    expect_gradient("x", in.x, d.x, loss);
    expect_gradient("h", in.h, d.h, loss);
    expect_gradient("w_q", in.w_q, d.w_q, loss);
    expect_gradient("w_k", in.w_k, d.w_k, loss);
    expect_gradient("b", in.b, d.b, loss);
    expect_gradient("v", in.v, d.v, loss);
  }
}

TEST_P(ReferenceGradient, Lstm) {
  reference::LstmInput in{B,
                          T,
                          E,
                          H,
                          2,
                          source.padded(B, T, E, lengths),
                          source.normal(2 * E * 4 * H),
                          source.normal(2 * H * 4 * H),
                          source.normal(2 * 4 * H),
                          lengths};
  const Vector d_y = source.padded(B, T, 2 * H, lengths), d_y_valid = without_padding(d_y);
  const auto loss = [&] { return dot(d_y_valid, lstm_forward(in).value); };
  const reference::LstmGradient d = lstm_backward(in, d_y);
  EXPECT_FALSE(is_zero(d.recurrent));
  expect_gradient("x", in.x, d.x, loss);
  expect_gradient("kernel", in.kernel, d.kernel, loss);
  expect_gradient("recurrent", in.recurrent, d.recurrent, loss);
  expect_gradient("bias", in.bias, d.bias, loss);
}

INSTANTIATE_TEST_SUITE_P(Lengths, ReferenceGradient,
                         ::testing::Values(Variant{"Full", {}, false}, Variant{"FullWithWeights", {}, true},
                                           Variant{"Lengths", {4, 0, 2}, false},
                                           Variant{"LengthsWithWeights", {3, 1, 4}, true},
                                           Variant{"EmptyRowWithWeights", {2, 4, 0}, true}),
                         [](const auto& variant) { return variant.param.name; });

TEST(LayerGradient, Embedding) {
  const std::int64_t vocabulary = 5;
  const std::vector<std::int32_t> ids{0, 3, 3, 4, 0, 3};
  Source source(1);
  Vector table = source.normal(vocabulary * E);
  const Vector d_rows = source.normal(static_cast<std::int64_t>(ids.size()) * E);
  expect_gradient("table", table, reference::embedding_backward(vocabulary, E, ids, d_rows),
                  [&] { return dot(d_rows, reference::embedding_forward(E, ids, table)); });
}

TEST(LayerGradient, Dense) {
  Source source(2);
  Vector x = source.normal(B * D), w = source.normal(D), b = source.normal(1);
  const Vector d_z = source.normal(B);
  const auto loss = [&] { return dot(d_z, reference::dense_forward(B, D, x, w, b[0]).value); };
  const reference::DenseGradient d = reference::dense_backward(B, D, x, w, d_z);
  expect_gradient("x", x, d.x, loss);
  expect_gradient("w", w, d.w, loss);
  expect_gradient("b", b, d.b, loss);
}

// The gradient is the gradient of the mean over the batch, for every batch size.
TEST(LayerGradient, SigmoidCrossEntropy) {
  Vector z{-30, -2, -0.3, 0.2, 1.5, 3, 25};
  const Vector y{1, 0, 1, 0, 0.25, 1, 1};
  const auto loss = [&] {
    const Vector losses = reference::sigmoid_cross_entropy(z, y).losses;
    return dot(losses, Vector(losses.size(), 1)) / static_cast<double>(losses.size());
  };
  const Vector d_z = reference::sigmoid_cross_entropy(z, y).d_z;
  expect_gradient("z", z, {d_z, d_z}, loss);
}

}  // namespace
}  // namespace attn::test
