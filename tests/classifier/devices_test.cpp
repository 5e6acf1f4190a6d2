// SPDX-License-Identifier: Apache-2.0
//
// The same training on every backend: the losses are those of the reference, and so one another's.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <tuple>

#include "classifier/model_training.h"

namespace {

using namespace attn;

std::vector<attn_backend_t> backends() {
#ifdef ATTN_WITH_CUDNN
  return {ATTN_BACKEND_CPU, ATTN_BACKEND_CUDA};
#else
  return {ATTN_BACKEND_CPU};
#endif
}

const char* name_of(attn_backend_t backend) { return backend == ATTN_BACKEND_CUDA ? "cuda" : "cpu"; }

// Training on `count` batches in turn; the last step sees the first batch again.
void expect_the_reference(const ModelConfig& config, std::int64_t B, std::size_t count, std::size_t steps, float rate,
                          double bound) {
  constexpr std::uint64_t kSeed = 11;
  Random random(kSeed);
  std::vector<EncodedReviews> batches;
  while (batches.size() < count) batches.push_back(test::random_reviews(config, B, random));
  std::vector<double> expected;
  for (const attn_backend_t backend : backends()) {
    SCOPED_TRACE(name_of(backend));
    const Handle handle(backend);
    test::ModelTraining training(handle, config, B, rate, kSeed);
    if (expected.empty()) {
      test::ReferenceTraining reference(config, training.parameters(), rate);
      while (expected.size() < steps) expected.push_back(reference.step(batches[expected.size() % count]));
      ASSERT_LT(expected.back(), expected.front() * (1 - 100 * bound)) << "nothing was learnt that a bound would see";
    }
    double most = 0;
    for (std::size_t step = 0; step < steps; ++step) {
      const double error = std::abs(training.step(batches[step % count]) - expected[step]) / expected[step];
      EXPECT_LT(error, bound) << "step " << step + 1;
      most = std::max(most, error);
    }
    std::printf("%s: largest relative error of a loss %.1e, from %.6f to %.6f\n", name_of(backend), most,
                expected.front(), expected.back());
  }
}

class Devices : public testing::TestWithParam<std::tuple<Attention, bool>> {};

TEST_P(Devices, LossesOfAReducedModelAgree) {
  ModelConfig config;
  config.V = 500;
  config.T = 24;
  config.E = 16;
  config.H = 8;
  config.A = 12;
  config.query = 8;
  std::tie(config.attention, config.mask) = GetParam();
  expect_the_reference(config, 8, 4, 21, 1e-2f, 2e-6);
}

INSTANTIATE_TEST_SUITE_P(All, Devices,
                         testing::Combine(testing::Values(Attention::kPooling, Attention::kAdditive), testing::Bool()),
                         [](const auto& variant) {
                           return std::string(std::get<0>(variant.param) == Attention::kPooling ? "pooling"
                                                                                                : "additive") +
                                  (std::get<1>(variant.param) ? "_masked" : "");
                         });

TEST(FullSize, LossesOfTheArticlesModelAgree) { expect_the_reference(ModelConfig(), 32, 1, 2, 1e-3f, 5e-7); }

}  // namespace
