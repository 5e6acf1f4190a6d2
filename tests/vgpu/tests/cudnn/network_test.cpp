// SPDX-License-Identifier: Apache-2.0
//
// Compares the gradients of the whole network with finite differences in double precision, with dropout between the
// layers.
#include "cudnn/network.h"

#include <algorithm>
#include <cmath>

#include "cudnn/test_device.h"

namespace vgpu::cudnn_test {
namespace {

using cudnn::DropoutMask;
using cudnn::LstmShape;
using cudnn::Network;

struct Inputs {
  std::vector<double> x, h, c, weights;
};

class NetworkGradients : public testing::Test {
 protected:
  NetworkGradients() : network_(shape_, {cudnn::Layout::kTimeMajor, 3, 2, {3, 2}}) {}

  // Returns the sum of all results, each multiplied by its output gradient.
  double loss(const Inputs& in) {
    std::vector<double> h = in.h, c = in.c, tape(network_.tape_size());
    network_.set_weights(in.weights);
    network_.forward(in.x.data(), mask_, h, c, tape);
    double sum = 0;
    for (std::size_t i = 0; i < y_size_; ++i) sum += network_.y(tape)[i] * dy_[i];
    for (std::size_t i = 0; i < h.size(); ++i) sum += h[i] * dh_[i] + c[i] * dc_[i];
    return sum;
  }

  void expect_slopes(const char* what, Inputs in, std::vector<double> Inputs::*which,
                     const std::vector<double>& expected) {
    const double step = 1e-5;
    for (std::size_t i = 0; i < (in.*which).size(); ++i) {
      double& number = (in.*which)[i];
      const double before = number;
      number = before + step;
      const double above = loss(in);
      number = before - step;
      const double slope = (above - loss(in)) / (2 * step);
      number = before;
      ASSERT_NEAR(slope, expected[i], 1e-8) << what << " [" << i << "]";
    }
  }

  static constexpr LstmShape kShape{3, 2, 3, 2, true, true};
  LstmShape shape_ = kShape;
  Network network_;
  DropoutMask mask_{0.25, 7, 3};
  const std::size_t y_size_ = 6 * 4;
  std::vector<double> dy_ = [] {
    std::vector<double> numbers = small_numbers(6 * 4, 11);
    std::fill(numbers.end() - 4, numbers.end(), 0);  // the second sequence is shorter and lacks this step
    return numbers;
  }();
  std::vector<double> dh_ = small_numbers(6 * 2 * 2, 12), dc_ = small_numbers(6 * 2 * 2, 13);
};

TEST_F(NetworkGradients, AreSlopes) {
  const Inputs in{small_numbers(6 * 3, 1), small_numbers(24, 2), small_numbers(24, 3),
                  small_numbers(cudnn::WeightLayout(shape_).size(), 4)};
  std::vector<double> h = in.h, c = in.c, tape(network_.tape_size()), dh = dh_, dc = dc_;
  network_.set_weights(in.weights);
  network_.forward(in.x.data(), mask_, h, c, tape);
  const std::vector<double> dx = network_.backward(dy_, in.c, mask_, dh, dc, tape);
  const std::vector<double> dw = network_.weight_derivatives(in.x.data(), in.h, mask_, tape);
  expect_slopes("x", in, &Inputs::x, dx);
  expect_slopes("h", in, &Inputs::h, dh);
  expect_slopes("c", in, &Inputs::c, dc);
  expect_slopes("weights", in, &Inputs::weights, dw);
}

TEST(DropoutMasks, DropTheirShareAndKeepTheMean) {
  const DropoutMask mask{0.25, 5, 0};
  int dropped = 0;
  const int count = 100000;
  for (int i = 0; i < count; ++i) {
    const double factor = mask.factor(0, static_cast<std::size_t>(i));
    EXPECT_TRUE(factor == 0 || factor == 1 / 0.75);
    dropped += factor == 0;
  }
  EXPECT_NEAR(dropped, count / 4, 4 * std::sqrt(count * 0.25 * 0.75));  // the tolerance is four standard deviations
}

TEST(DropoutMasks, DifferByEverythingTheyAreMadeOf) {
  const auto differ = [](const DropoutMask& one, std::size_t layer, const DropoutMask& other, std::size_t other_layer) {
    int count = 0;
    for (std::size_t i = 0; i < 1000; ++i) count += one.factor(layer, i) != other.factor(other_layer, i);
    return count;
  };
  const DropoutMask mask{0.5, 5, 0};
  EXPECT_EQ(differ(mask, 0, {0.5, 5, 0}, 0), 0);
  // Independent masks differ in half of their elements.
  EXPECT_NEAR(differ(mask, 0, {0.5, 6, 0}, 0), 500, 64);
  EXPECT_NEAR(differ(mask, 0, {0.5, 5, 1}, 0), 500, 64);
  EXPECT_NEAR(differ(mask, 0, mask, 1), 500, 64);
  EXPECT_EQ(DropoutMask{}.factor(0, 0), 1);
}

}  // namespace
}  // namespace vgpu::cudnn_test
