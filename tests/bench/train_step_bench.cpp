// SPDX-License-Identifier: Apache-2.0
//
// Measures the article's classifier on random ids and prints one line of JSON: milliseconds per training step and per
// inference batch, and the peak memory of the process. python_bench/peers.py compares it with Keras and PyTorch.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "classifier/train/model.h"

namespace {

using namespace attn;
using namespace attn::classifier;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kBatch = 32, kBatches = 16;

EncodedReviews random_reviews(const ModelConfig& config, Random& random) {
  EncodedReviews reviews{{}, {0}, {}};
  for (std::int64_t i = 0; i < kBatches * kBatch; ++i) {
    for (std::int64_t t = 0; t < config.T; ++t)
      reviews.ids.push_back(static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(config.V))));
    reviews.offsets.push_back(static_cast<std::int64_t>(reviews.ids.size()));
    reviews.labels.push_back(static_cast<std::int32_t>(random.below(2)));
  }
  return reviews;
}

template <class Step>
double median_ms(int repeats, Step step) {
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) {
    const Clock::time_point start = Clock::now();
    step();
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + repeats / 2, times.end());
  return times[static_cast<std::size_t>(repeats / 2)];
}

}  // namespace

// train_step_bench [steps]
int main(int argc, char** argv) {
  const int steps = argc > 1 ? std::max(std::atoi(argv[1]), 1) : 65;
  const Handle handle;
  const ModelConfig config;
  Model model(handle, config, kBatch);
  Parameters gradient(handle, config), m(handle, config), s(handle, config);
  Random random(1);
  initialise(model.parameters(), config, random);
  const EncodedReviews reviews = random_reviews(config, random);
  BatchFeed feed = model.make_feed();
  std::int64_t step = 0;
  const auto send = [&](std::int64_t number) {
    std::vector<std::int64_t> which(kBatch);
    std::iota(which.begin(), which.end(), number % kBatches * kBatch);
    feed.send(reviews, which);
  };
  send(step);
  // As in the trainer, the next batch is prepared before waiting for the results of this one.
  const auto train = [&] {
    model.forward(feed.take(), true);
    model.backward(gradient);
    ++step;
    const attn_adam_desc_t adam{sizeof adam, 1e-3f, 0.9f, 0.999f, 1e-7f, step, 1, nullptr};
    check(attn_adam_step(handle.get(), &adam, gradient.count(), gradient.block(), model.parameters().block(), m.block(),
                         s.block()));
    send(step);
    model.losses();
  };
  const auto infer = [&] {
    model.forward(feed.take(), false);
    send(++step);
    model.logits();
  };
  for (int i = 0; i < 5; ++i) train();
  const double train_ms = median_ms(steps, train);
  for (int i = 0; i < 5; ++i) infer();
  const double infer_ms = median_ms(steps, infer);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{{\"train_ms\": {:.2f}, \"infer_ms\": {:.2f}, \"peak_mib\": {:.1f}, \"threads\": {}, \"target\": \"{}\"}}\n",
      train_ms, infer_ms, static_cast<double>(usage.ru_maxrss) / 1024, handle.threads(), attn_cpu_target());
  return 0;
}
