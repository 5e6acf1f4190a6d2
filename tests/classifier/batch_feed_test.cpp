// SPDX-License-Identifier: Apache-2.0
//
// Prefetched batches: their contents, when the next batch is assembled, and that a training step waits for none of
// them.
#include "classifier/train/batch_feed.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "classifier/model_training.h"
#include "classifier/train/evaluate.h"
#include "cudart/find_vgpu.h"

namespace attn::classifier {
namespace {

ModelConfig small() {
  ModelConfig config;
  config.V = 40;
  config.T = 70;
  config.E = config.H = 4;
  config.mask = true;
  return config;
}

class BatchFeeds : public testing::TestWithParam<attn_backend_t> {
 protected:
  std::vector<std::int32_t> words(const Batch& device) const {
    std::vector<std::int32_t> values(Batch::bytes(device.B, device.T) / sizeof(std::int32_t));
    check(attn_copy_to_host(handle_.get(), values.data(), device.ids, Batch::bytes(device.B, device.T)));
    return values;
  }

  const ModelConfig config_ = small();
  const Handle handle_{GetParam()};
};

// Batches of three shapes, each of which is sent after the previous one was taken.
TEST_P(BatchFeeds, BringWhatMakeBatchMakes) {
  Random random(3);
  const EncodedReviews reviews = test::random_reviews(config_, 9, random);
  const std::vector<std::vector<std::int64_t>> batches = {{0, 3, 1}, {5}, {8, 7}, {2, 4, 6}, {0}};
  BatchFeed feed(handle_, config_, 3);
  feed.send(reviews, batches[0]);
  for (std::size_t n = 0; n < batches.size(); ++n) {
    const FedBatch got = feed.take();
    if (n + 1 < batches.size()) feed.send(reviews, batches[n + 1]);
    std::vector<std::int32_t> memory(1000);
    const Batch made = make_batch(reviews, batches[n], config_.T, config_.padding(), memory.data());
    memory.resize(Batch::bytes(made.B, made.T) / sizeof(std::int32_t));
    EXPECT_EQ(got.host.B, made.B);
    EXPECT_EQ(got.host.T, made.T);
    EXPECT_EQ(words(got.device), memory) << "batch " << n;
    EXPECT_EQ(std::vector<std::int32_t>(got.host.ids, got.host.ids + memory.size()), memory) << "batch " << n;
  }
}

TEST_P(BatchFeeds, RefuseWhatDoesNotFitAndGoOn) {
  Random random(4);
  const EncodedReviews reviews = test::random_reviews(config_, 4, random);
  BatchFeed feed(handle_, config_, 2);
  EXPECT_THROW(feed.send(reviews, {0, 1, 2}), std::exception);
  EXPECT_THROW(feed.send(reviews, {9}), std::exception);
  EXPECT_THROW(feed.take(), Error);
  feed.send(reviews, {3});
  EXPECT_EQ(feed.take().host.B, 1);
}

// If a visit changes the reviews, the next batch is unaffected, because it has already been assembled.
TEST_P(BatchFeeds, TheNextIsMadeBeforeTheResultsOfOneAreWaitedFor) {
  Random random(5);
  EncodedReviews reviews = test::random_reviews(config_, 7, random);
  const std::vector<std::int32_t> labels = reviews.labels;
  Model model(handle_, config_, 2);
  std::vector<std::int32_t> seen;
  const auto visit = [&](const Batch& batch, std::int64_t first) {
    EXPECT_EQ(first, static_cast<std::int64_t>(seen.size()));
    for (std::int64_t b = 0; b < batch.B; ++b) seen.push_back(static_cast<std::int32_t>(batch.labels[b]));
    for (std::int64_t i = first + 2; i < std::min<std::int64_t>(first + 4, 7); ++i)
      reviews.labels[static_cast<std::size_t>(i)] ^= 1;
    return true;
  };
  EXPECT_TRUE(for_each_batch(model, reviews, 2, visit));
  EXPECT_EQ(seen, labels);
}

#ifdef ATTN_WITH_CUDNN
TEST(BatchFeed, AStepAndTheNextBatchWaitForACopyAlone) {
  using Counter = unsigned long long();
  const auto allocations = find_vgpu<Counter>("vgpu_allocations"), waits = find_vgpu<Counter>("vgpu_synchronizations");
  if (waits == nullptr) GTEST_SKIP() << "a GPU does not count how often calls wait";
  const ModelConfig config = small();
  const Handle handle(ATTN_BACKEND_CUDA);
  Random random(6);
  const EncodedReviews reviews = test::random_reviews(config, 3, random);
  Model model(handle, config, 3);
  Parameters gradient(handle, config);
  BatchFeed feed = model.make_feed();
  feed.send(reviews, {0, 1, 2});
  const auto step = [&] {
    model.forward(feed.take(), true);
    model.backward(gradient);
    feed.send(reviews, {0, 1, 2});
  };
  step();
  const unsigned long long allocated = allocations(), waited = waits();
  step();
  step();
  EXPECT_EQ(waits() - waited, 2u);
  EXPECT_EQ(allocations(), allocated);
  EXPECT_EQ(model.losses().size(), 3u);
}
#endif

INSTANTIATE_TEST_SUITE_P(All, BatchFeeds, testing::ValuesIn(test::model_backends()), [](const auto& backend) {
  return std::string(backend.param == ATTN_BACKEND_CUDA ? "cuda" : "cpu");
});

}  // namespace
}  // namespace attn::classifier
