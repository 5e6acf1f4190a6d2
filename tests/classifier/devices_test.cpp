// SPDX-License-Identifier: Apache-2.0
//
// The same training on every backend: each must produce the losses of the reference.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <tuple>

#include "classifier/model_training.h"
#include "classifier/train/json.h"

namespace attn::classifier {
namespace {

const char* name_of(attn_backend_t backend) { return backend == ATTN_BACKEND_CUDA ? "cuda" : "cpu"; }

struct Precision {
  Storage storage;
  float loss_scale;
  double bound;  // bound of the relative error of a loss
};

// Trains on `count` batches in turn; the last step uses the first batch again.
void expect_the_reference(const ModelConfig& config, std::int64_t B, std::size_t count, std::size_t steps, float rate,
                          const std::vector<Precision>& precisions) {
  constexpr std::uint64_t kSeed = 11;
  Random random(kSeed);
  std::vector<EncodedReviews> batches;
  while (batches.size() < count) batches.push_back(test::random_reviews(config, B, random));
  std::vector<double> expected;
  for (const attn_backend_t backend : test::model_backends())
    for (const Precision& precision : precisions) {
      const std::string name =
          std::string(name_of(backend)) + " " + nlohmann::json(precision.storage).get<std::string>();
      SCOPED_TRACE(name);
      const Handle handle(backend);
      test::ModelTraining training(handle, config, B, rate, kSeed, precision.storage, precision.loss_scale);
      if (expected.empty()) {
        test::ReferenceTraining reference(config, training.parameters(), rate);
        while (expected.size() < steps) expected.push_back(reference.step(batches[expected.size() % count]));
      }
      ASSERT_LT(expected.back(), expected.front() * (1 - 10 * precision.bound))
          << "nothing was learnt that a bound would see";
      double most = 0;
      for (std::size_t step = 0; step < steps; ++step) {
        const double error = std::abs(training.step(batches[step % count]) - expected[step]) / expected[step];
        EXPECT_LT(error, precision.bound) << "step " << step + 1;
        EXPECT_FALSE(training.left_out()) << "step " << step + 1;
        most = std::max(most, error);
      }
      std::printf("%s: largest relative error of a loss %.1e, from %.6f to %.6f\n", name.c_str(), most,
                  expected.front(), expected.back());
    }
}

ModelConfig reduced() {
  ModelConfig config;
  config.V = 500;
  config.T = 24;
  config.E = 16;
  config.H = 8;
  config.A = 12;
  config.query = 8;
  return config;
}

class Devices : public testing::TestWithParam<std::tuple<Attention, bool>> {};

TEST_P(Devices, LossesOfAReducedModelAgree) {
  ModelConfig config = reduced();
  std::tie(config.attention, config.mask) = GetParam();
  expect_the_reference(config, 8, 4, 21, 1e-2f, {{Storage::kFp32, 1, 2e-6}});
}

// Uses the article's learning rate. Adam divides by the size of a gradient, so the rounding of a small gradient can move a
// parameter by the whole learning rate; at larger rates the error of the loss doubles every step or two. The bounds are a
// sixteenth of the types' eps, because most rounding errors of a step cancel.
TEST_P(Devices, LossesOfAReducedModelAgreeInSixteenBits) {
  ModelConfig config = reduced();
  std::tie(config.attention, config.mask) = GetParam();
  expect_the_reference(config, 8, 4, 21, 1e-3f, {{Storage::kFp16, 1024, 0x1p-14}, {Storage::kBf16, 1, 0x1p-11}});
}

INSTANTIATE_TEST_SUITE_P(All, Devices,
                         testing::Combine(testing::Values(Attention::kPooling, Attention::kAdditive), testing::Bool()),
                         [](const auto& variant) {
                           return std::string(std::get<0>(variant.param) == Attention::kPooling ? "pooling"
                                                                                                : "additive") +
                                  (std::get<1>(variant.param) ? "_masked" : "");
                         });

// fp16 ends at 65504, so that gradients with this loss scale overflow. The overflow must be detected and the parameters
// left unchanged.
TEST(LossScale, AStepBeyondTheRangeIsLeftOut) {
  for (const attn_backend_t backend : test::model_backends()) {
    SCOPED_TRACE(name_of(backend));
    const Handle handle(backend);
    Random random(3);
    const ModelConfig config = reduced();
    const EncodedReviews reviews = test::random_reviews(config, 8, random);
    test::ModelTraining training(handle, config, 8, 1e-2f, 5, Storage::kFp16, 0x1p24f);
    const auto block = [&] {
      std::map<std::string, Tensor> tensors;
      training.parameters().save(tensors);
      std::vector<float> all;
      for (const auto& [name, tensor] : tensors) {
        const std::vector<float> values = tensor.values<float>(name);
        all.insert(all.end(), values.begin(), values.end());
      }
      return all;
    };
    const std::vector<float> before = block();
    const double loss = training.step(reviews);
    EXPECT_TRUE(std::isfinite(loss));
    EXPECT_TRUE(training.left_out());
    EXPECT_EQ(block(), before);
  }
}

TEST(LossScale, HalvesAtOnceAndDoublesAfterManyCleanSteps) {
  LossScale scale;
  scale.value = 4;
  for (int step = 1; step < LossScale::kCleanSteps; ++step) scale.update(true);
  EXPECT_EQ(scale.value, 4);
  scale.update(false);
  EXPECT_EQ(scale.value, 2);
  for (int step = 1; step < LossScale::kCleanSteps; ++step) scale.update(true);
  EXPECT_EQ(scale.value, 2);
  scale.update(true);
  EXPECT_EQ(scale.value, 4);
  for (int i = 0; i < 3; ++i) scale.update(false);
  EXPECT_EQ(scale.value, 1);
  scale.value = LossScale::kLargest;
  for (int step = 0; step < LossScale::kCleanSteps; ++step) scale.update(true);
  EXPECT_EQ(scale.value, LossScale::kLargest);
}

TEST(FullSize, LossesOfTheArticlesModelAgree) {
  expect_the_reference(ModelConfig(), 32, 1, 2, 1e-3f,
                       {{Storage::kFp32, 1, 5e-7}, {Storage::kFp16, 1024, 0x1p-16}, {Storage::kBf16, 1, 0x1p-12}});
}

}  // namespace
}  // namespace attn::classifier
