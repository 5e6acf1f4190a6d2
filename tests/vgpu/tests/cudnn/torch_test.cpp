// SPDX-License-Identifier: Apache-2.0
//
// Compares LSTMs and their gradients with PyTorch's, computed in float64 (tests/data/make_lstm_fixture.py). The inputs
// are exact in every storage type, so the stand-in must return PyTorch's results, rounded once.
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <tuple>

#include "cudnn/test_device.h"

namespace vgpu::cudnn_test {
namespace {

struct Case {
  Settings settings;
  bool has_states = false;
  std::map<std::string, std::vector<double>> tensors;
};

Case read_case(std::istringstream& words) {
  Case one;
  std::string biases;
  words >> one.settings.layers >> one.settings.directions >> one.settings.E >> one.settings.H >> biases >>
      one.has_states;
  one.settings.bias = biases == "none"     ? CUDNN_RNN_NO_BIAS
                      : biases == "input"  ? CUDNN_RNN_SINGLE_INP_BIAS
                      : biases == "double" ? CUDNN_RNN_DOUBLE_BIAS
                                           : CUDNN_RNN_SINGLE_REC_BIAS;
  one.settings.lengths.clear();
  for (int length; words >> length;) one.settings.lengths.push_back(length);
  return one;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> read;
    std::ifstream file(VGPU_TEST_DATA "/lstm_torch.txt");
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string name;
      words >> name;
      if (name == "case") {
        read.push_back(read_case(words));
      } else {
        for (double number; words >> number;) read.back().tensors[name].push_back(number);
      }
    }
    return read;
  }();
  return all;
}

// Returns half a unit in the last place of the value in the type, plus a margin because PyTorch sums in a different
// order.
double tolerance(Storage type, double value) {
  if (!is_virtual()) return (type == Storage::kFloat ? 1e-4 : type == Storage::kHalf ? 1e-2 : 1e-1);
  const int digits = type == Storage::kFloat ? 24 : type == Storage::kHalf ? 11 : 8;
  const int least = type == Storage::kHalf ? -14 : -126;
  const int exponent = value == 0 ? least : std::max(std::ilogb(value), least);
  return std::ldexp(0.5, exponent + 1 - digits) + 1e-13;
}

void expect_close(Storage type, const std::vector<double>& got, const std::vector<double>& expected, const char* what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], expected[i], tolerance(type, expected[i])) << what << " [" << i << "]";
  }
}

// Calls use(name of PyTorch's parameter, gate, offset in the weight space). PyTorch concatenates the gates in one
// parameter.
template <typename Use>
void each_parameter(const Lstm& lstm, Use&& use) {
  const Settings& settings = lstm.settings;
  for (int pseudo_layer = 0; pseudo_layer < settings.layers * settings.directions; ++pseudo_layer) {
    const std::string suffix = "_l" + std::to_string(pseudo_layer / settings.directions) +
                               (pseudo_layer % settings.directions == 1 ? "_reverse" : "");
    const bool input = settings.bias == CUDNN_RNN_SINGLE_INP_BIAS || settings.bias == CUDNN_RNN_DOUBLE_BIAS;
    const bool recurrent = settings.bias == CUDNN_RNN_SINGLE_REC_BIAS || settings.bias == CUDNN_RNN_DOUBLE_BIAS;
    for (int gate = 0; gate < 4; ++gate) {
      use("weight_ih" + suffix, gate, lstm.matrix(pseudo_layer, gate));
      use("weight_hh" + suffix, gate, lstm.matrix(pseudo_layer, gate + 4));
      if (input) use("bias_ih" + suffix, gate, lstm.bias(pseudo_layer, gate));
      if (recurrent) use("bias_hh" + suffix, gate, lstm.bias(pseudo_layer, gate + 4));
    }
  }
}

class Torch : public testing::TestWithParam<std::tuple<std::size_t, Storage, cudnnRNNDataLayout_t>> {
 protected:
  void SetUp() override {
    ASSERT_LT(std::get<0>(GetParam()), cases().size());
    case_ = cases()[std::get<0>(GetParam())];
    case_.settings.type = std::get<1>(GetParam());
    case_.settings.layout = std::get<2>(GetParam());
    lstm_ = std::make_unique<Lstm>(case_.settings);
    lstm_->has_states = case_.has_states;
    lstm_->x.set(lstm_->padded(tensor("x"), false, Lstm::kPadding));
    lstm_->dy.set(lstm_->padded(tensor("dy"), true, Lstm::kPadding));
    lstm_->hx.set(tensor("hx"));
    lstm_->cx.set(tensor("cx"));
    lstm_->dhy.set(tensor("dhy"));
    lstm_->dcy.set(tensor("dcy"));
    lstm_->write(lstm_->weights, weights(""));
  }

  const std::vector<double>& tensor(const std::string& name) const { return case_.tensors.at(name); }

  // Returns the weight space filled with PyTorch's parameters or with their gradients.
  std::vector<double> weights(const std::string& prefix) const {
    std::vector<double> space(lstm_->weight_count(), NAN);
    each_parameter(*lstm_, [&](const std::string& name, std::size_t gate, std::size_t begin) {
      const std::vector<double>& from = tensor(prefix + name);
      const std::size_t size = from.size() / 4;
      for (std::size_t i = 0; i < size; ++i) space.at(begin + i) = from[gate * size + i];
    });
    return space;
  }

  Case case_;
  std::unique_ptr<Lstm> lstm_;
};

TEST_P(Torch, GivesTheSameResultsAndGradients) {
  const Storage type = case_.settings.type;
  expect_ok(lstm_->forward(CUDNN_FWD_MODE_INFERENCE));
  const std::vector<double> inferred = lstm_->y.values();
  expect_close(type, inferred, lstm_->padded(tensor("y"), true, Lstm::kFillOfY), "y");
  expect_ok(lstm_->forward());
  EXPECT_EQ(lstm_->y.values(), inferred);
  expect_close(type, lstm_->hy.values(), tensor("hy"), "hy");
  expect_close(type, lstm_->cy.values(), tensor("cy"), "cy");

  expect_ok(lstm_->backward_data());
  expect_close(type, lstm_->dx.values(), lstm_->padded(tensor("dx"), false, Lstm::kFillOfX), "dx");
  expect_close(type, lstm_->dhx.values(), tensor("dhx"), "dhx");
  expect_close(type, lstm_->dcx.values(), tensor("dcx"), "dcx");

  // Weight gradients accumulate, so they are added to the previous contents.
  const double before = 0.25;
  lstm_->write(lstm_->derivatives, std::vector<double>(lstm_->weight_count(), before));
  expect_ok(lstm_->backward_weights());
  std::vector<double> expected = weights("d");
  for (double& number : expected) number += before;
  expect_close(type, lstm_->read(lstm_->derivatives, lstm_->weight_count()), expected, "dw");
}

TEST(TorchFixture, HoldsAllCases) { EXPECT_EQ(cases().size(), 6u); }

std::string name_of(const testing::TestParamInfo<Torch::ParamType>& info) {
  const char* types[] = {"fp32", "fp16", "bf16"};
  const char* layouts[] = {"time_major", "packed", "batch_major"};
  return "case" + std::to_string(std::get<0>(info.param)) + "_" + types[static_cast<int>(std::get<1>(info.param))] +
         "_" + layouts[std::get<2>(info.param)];
}

constexpr Storage kTypes[] = {Storage::kFloat, Storage::kHalf, Storage::kBfloat16};

INSTANTIATE_TEST_SUITE_P(Unpacked, Torch,
                         testing::Combine(testing::Range<std::size_t>(0, 6), testing::ValuesIn(kTypes),
                                          testing::Values(CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED,
                                                          CUDNN_RNN_DATA_LAYOUT_BATCH_MAJOR_UNPACKED)),
                         name_of);

// The packed layout is tested with the cases whose lengths descend.
INSTANTIATE_TEST_SUITE_P(Packed, Torch,
                         testing::Combine(testing::Values<std::size_t>(0, 3, 5), testing::ValuesIn(kTypes),
                                          testing::Values(CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED)),
                         name_of);

}  // namespace
}  // namespace vgpu::cudnn_test
