// SPDX-License-Identifier: Apache-2.0
//
// The whole model compared with the reference: outputs, gradient, and training on random batches.
#include "classifier/train/model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <string>

#include "classifier/model_training.h"

namespace attn::classifier {
namespace {

struct Variant {
  attn_backend_t backend;
  const char* name;
  Attention attention;
  bool mask;
};

void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }

class ModelTest : public testing::TestWithParam<Variant> {
 protected:
  ModelTest() {
    config_.V = 40;
    config_.T = 13;
    config_.E = 7;
    config_.H = 5;
    config_.A = 6;
    config_.query = 3;
    config_.attention = GetParam().attention;
    config_.mask = GetParam().mask;
  }

  EncodedReviews random_reviews(std::int64_t B, Random& random) const {
    return test::random_reviews(config_, B, random);
  }

  // Sends a batch and takes it immediately.
  static FedBatch fed(BatchFeed& feed, const EncodedReviews& reviews) {
    feed.send(reviews, test::all_of(reviews));
    return feed.take();
  }

  // Fills the model with initial values plus noise. With the small initial values alone attention is almost uniform,
  // and the gradients of its parameters are sums that cancel almost completely.
  void fill(Model& model, Random& random) const {
    initialise(model.parameters(), config_, random);
    std::map<std::string, Tensor> tensors;
    model.parameters().save(tensors);
    for (auto& [name, tensor] : tensors) {
      std::vector<float> values = tensor.values<float>(name);
      for (float& value : values) value += static_cast<float>(0.4 * random.normal());
      tensor = Tensor::of(values, tensor.shape);
    }
    model.parameters().load(tensors, "noise");
  }

  ModelConfig config_;
  Handle handle_{GetParam().backend};
};

double relative_error(const std::vector<double>& expected, const std::vector<double>& got) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += (got[i] - expected[i]) * (got[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  return std::sqrt(difference / norm);
}

TEST_P(ModelTest, OutputsAndGradientMatchTheReference) {
  Random random(7);
  Model model(handle_, config_, 6);
  fill(model, random);
  Parameters gradient(handle_, config_);
  BatchFeed feed = model.make_feed();
  const EncodedReviews reviews = random_reviews(6, random);
  const test::ReferenceStep expected = test::reference_step(config_, test::widened(model.parameters()), reviews);

  model.forward(fed(feed, reviews), true);
  const std::vector<float> logits = model.logits(), losses = model.losses(), weights = model.weights();
  model.backward(gradient);

  EXPECT_LT(relative_error(expected.logits, {logits.begin(), logits.end()}), 1e-5);
  EXPECT_LT(relative_error(expected.losses, {losses.begin(), losses.end()}), 1e-5);
  EXPECT_LT(relative_error(expected.weights, {weights.begin(), weights.end()}), 1e-5);
  const test::Tensors got = test::widened(gradient);
  ASSERT_EQ(got.size(), expected.gradient.size());
  std::vector<double> whole, whole_got;
  for (const auto& [name, values] : expected.gradient) {
    whole.insert(whole.end(), values.begin(), values.end());
    whole_got.insert(whole_got.end(), got.at(name).begin(), got.at(name).end());
    // The query of additive attention shifts all scores alike, so its gradient suffers from cancellation.
    EXPECT_LT(relative_error(values, got.at(name)), 1e-4) << name;
  }
  const double error = relative_error(whole, whole_got);
  EXPECT_LT(error, 1e-5);
  std::printf("relative error of the whole gradient: %.1e\n", error);
}

TEST_P(ModelTest, InferenceAgreesWithTraining) {
  Random random(8);
  Model model(handle_, config_, 5);
  initialise(model.parameters(), config_, random);
  BatchFeed feed = model.make_feed();
  const FedBatch batch = fed(feed, random_reviews(5, random));
  model.forward(batch, true);
  const std::vector<float> training = model.logits();
  model.forward(batch, false);
  const std::vector<float> inference = model.logits();
  for (std::size_t b = 0; b < training.size(); ++b)
    EXPECT_NEAR(training[b], inference[b], 1e-6f * (1 + std::abs(training[b])));
}

// Both sides take thirty steps of Adam, each on its own parameters.
TEST_P(ModelTest, TrainingFollowsTheReference) {
  Random random(9);
  constexpr float kRate = 1e-2f;
  test::ModelTraining training(handle_, config_, 8, kRate, 9);
  test::ReferenceTraining reference(config_, training.parameters(), kRate);
  const EncodedReviews reviews = random_reviews(8, random);
  double start = 0, loss = 0;
  for (int step = 1; step <= 30; ++step) {
    loss = reference.step(reviews);
    if (step == 1) start = loss;
    EXPECT_NEAR(training.step(reviews), loss, 2e-5 * loss) << "step " << step;
  }
  EXPECT_LT(loss, 0.5 * start) << "nothing was learnt";
}

TEST_P(ModelTest, ShortBatchesUseTheSameBuffers) {
  Random random(10);
  Model model(handle_, config_, 4);
  initialise(model.parameters(), config_, random);
  BatchFeed feed = model.make_feed();
  const EncodedReviews reviews = random_reviews(3, random);
  model.forward(fed(feed, reviews), false);
  const std::vector<float> first = model.logits();
  model.forward(fed(feed, random_reviews(4, random)), true);
  model.forward(fed(feed, reviews), false);
  EXPECT_EQ(model.logits(), first);
  EXPECT_THROW(fed(feed, random_reviews(5, random)), std::exception);
}

std::vector<Variant> variants() {
  std::vector<attn_backend_t> backends = {ATTN_BACKEND_CPU};
#ifdef ATTN_WITH_CUDNN
  backends.push_back(ATTN_BACKEND_CUDA);
#endif
  std::vector<Variant> all;
  for (const attn_backend_t backend : backends)
    for (const Variant& variant : {Variant{backend, "pooling", Attention::kPooling, false},
                                   Variant{backend, "pooling_masked", Attention::kPooling, true},
                                   Variant{backend, "additive", Attention::kAdditive, false},
                                   Variant{backend, "additive_masked", Attention::kAdditive, true}})
      all.push_back(variant);
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, ModelTest, testing::ValuesIn(variants()),
                         [](const testing::TestParamInfo<Variant>& variant) {
                           return std::string(variant.param.backend == ATTN_BACKEND_CUDA ? "cuda_" : "cpu_") +
                                  variant.param.name;
                         });

}  // namespace
}  // namespace attn::classifier
