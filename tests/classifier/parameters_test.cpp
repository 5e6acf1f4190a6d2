// SPDX-License-Identifier: Apache-2.0
//
// The trainable tensors: initial values, saving and loading, and which files are rejected.
#include "classifier/train/parameters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "classifier/failure.h"

namespace attn::classifier {
namespace {

std::map<std::string, Tensor> initial_values(const ModelConfig& config) {
  const Handle handle;
  Parameters parameters(handle, config);
  Random random(3);
  initialise(parameters, config, random);
  std::map<std::string, Tensor> tensors;
  parameters.save(tensors);
  return tensors;
}

std::vector<float> values_of(const std::map<std::string, Tensor>& tensors, const std::string& name) {
  return tensors.at(name).values<float>(name);
}

float largest(const std::vector<float>& values) {
  float most = 0;
  for (float value : values) most = std::max(most, std::abs(value));
  return most;
}

TEST(Parameters, TheDefaultModelHasTheArticlesSize) {
  const Handle handle;
  const std::int64_t embedding = 10000 * 128, lstm = 2 * (128 * 256 + 64 * 256 + 256), attention = 128 + 200,
                     dense = 129;
  EXPECT_EQ(Parameters(handle, ModelConfig()).trainable(), embedding + lstm + attention + dense);
}

TEST(Parameters, InitialValuesAreTheArticles) {
  const ModelConfig config;
  const auto tensors = initial_values(config);
  EXPECT_LE(largest(values_of(tensors, "embedding")), 0.05f);
  EXPECT_GT(largest(values_of(tensors, "embedding")), 0.0499f);
  const float glorot = std::sqrt(6.0f / (128 + 256));
  EXPECT_LE(largest(values_of(tensors, "lstm.0.kernel")), glorot);
  EXPECT_GT(largest(values_of(tensors, "lstm.0.kernel")), 0.99f * glorot);
  EXPECT_LE(largest(values_of(tensors, "dense.w")), std::sqrt(6.0f / 129));
  EXPECT_EQ(largest(values_of(tensors, "attention.b")), 0);
  EXPECT_EQ(largest(values_of(tensors, "dense.b")), 0);

  const std::vector<float> w = values_of(tensors, "attention.w");
  double squares = 0;
  for (float value : w) squares += static_cast<double>(value) * static_cast<double>(value);
  EXPECT_NEAR(std::sqrt(squares / static_cast<double>(w.size())), 0.05, 0.01);

  const std::vector<float> bias = values_of(tensors, "lstm.0.bias");
  for (std::size_t i = 0; i < bias.size(); ++i) EXPECT_EQ(bias[i], i / 64 % 4 == 1 ? 1.0f : 0.0f) << i;
}

TEST(Parameters, RecurrentKernelsHaveOrthonormalRows) {
  const std::vector<float> recurrent = values_of(initial_values(ModelConfig()), "lstm.0.recurrent");
  constexpr std::size_t kRows = 64, kColumns = 256;
  for (std::size_t row = 0; row < 2 * kRows; ++row)
    for (std::size_t other = row / kRows * kRows; other <= row; ++other) {
      double product = 0;
      for (std::size_t c = 0; c < kColumns; ++c)
        product +=
            static_cast<double>(recurrent[row * kColumns + c]) * static_cast<double>(recurrent[other * kColumns + c]);
      EXPECT_NEAR(product, row == other ? 1.0 : 0.0, 1e-6) << row << " and " << other;
    }
}

TEST(Parameters, LoadRefusesMissingAndMisshapenTensors) {
  const Handle handle;
  Parameters parameters(handle, ModelConfig());
  auto tensors = initial_values(ModelConfig());
  const auto message = [&] {
    try {
      parameters.load(tensors, "FILE");
    } catch (const Failure& failure) {
      return std::string(failure.what());
    }
    return std::string("nothing was refused");
  };
  tensors["dense.w"].shape = {64, 2};
  EXPECT_EQ(message(), "FILE: tensor dense.w: expected shape [128], got [64, 2]");
  tensors.erase("dense.w");
  EXPECT_EQ(message(), "FILE: expected a tensor dense.w of shape [128], got none of that name");
}

TEST(Parameters, SaveAndLoadRoundTrip) {
  const Handle handle;
  const ModelConfig config;
  const auto tensors = initial_values(config);
  Parameters parameters(handle, config);
  parameters.load(tensors, "FILE");
  std::map<std::string, Tensor> again;
  parameters.save(again, "adam.m.");
  for (const auto& [name, tensor] : tensors) EXPECT_EQ(tensor.data, again.at("adam.m." + name).data) << name;
}

TEST(Random, IsTheStandardsEngine) {
  Random random(5489);
  for (int i = 1; i < 10000; ++i) random.uniform();
  // The C++ standard specifies the ten thousandth number of this engine.
  EXPECT_EQ(random.uniform(), static_cast<double>(9981545732273789042ULL >> 11) * 0x1p-53);
}

TEST(Random, StateIsAllThereIs) {
  Random random(1), other(2);
  random.normal();
  ASSERT_TRUE(other.restore(random.state()));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(random.normal(), other.normal());
  EXPECT_FALSE(other.restore("no state"));
}

TEST(Random, ShuffleKeepsAllAndBelowStaysBelow) {
  Random random(1);
  std::vector<int> values = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, shuffled = values;
  random.shuffle(shuffled);
  EXPECT_NE(shuffled, values);
  std::sort(shuffled.begin(), shuffled.end());
  EXPECT_EQ(shuffled, values);
  std::vector<int> seen(7);
  for (int i = 0; i < 7000; ++i) ++seen.at(random.below(7));
  for (int count : seen) EXPECT_NEAR(count, 1000, 150);
}

}  // namespace
}  // namespace attn::classifier
