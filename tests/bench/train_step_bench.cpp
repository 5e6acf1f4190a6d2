// SPDX-License-Identifier: Apache-2.0
//
// The article's classifier on random ids: milliseconds per training step and per inference batch, and peak memory of the
// process, as one line of JSON. python_bench/peers.py runs it beside Keras and PyTorch.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "classifier/train/model.h"

namespace {

using namespace attn;
using Clock = std::chrono::steady_clock;

Batch random_batch(const ModelConfig& config, std::int64_t B, Random& random) {
  Batch batch{B, config.T, {}, {}, {}};
  for (std::int64_t i = 0; i < B * config.T; ++i)
    batch.ids.push_back(static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(config.V))));
  for (std::int64_t b = 0; b < B; ++b) {
    batch.lengths.push_back(static_cast<std::int32_t>(config.T));
    batch.labels.push_back(static_cast<float>(random.below(2)));
  }
  return batch;
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
  constexpr std::int64_t kBatch = 32;
  const Handle handle;
  const ModelConfig config;
  Model model(handle, config, kBatch);
  Parameters gradient(handle, config), m(handle, config), s(handle, config);
  Random random(1);
  initialise(model.parameters(), config, random);
  std::vector<Batch> batches;
  for (int i = 0; i < 16; ++i) batches.push_back(random_batch(config, kBatch, random));

  std::int64_t step = 0;
  const auto train = [&] {
    const Batch& batch = batches[static_cast<std::size_t>(step++ % 16)];
    model.forward(batch, true);
    model.losses(batch);
    model.backward(batch, gradient);
    const attn_adam_desc_t adam{sizeof adam, 1e-3f, 0.9f, 0.999f, 1e-7f, step, 1, nullptr};
    check(attn_adam_step(handle.get(), &adam, gradient.count(), gradient.block(), model.parameters().block(), m.block(),
                         s.block()));
  };
  const auto infer = [&] {
    model.forward(batches[static_cast<std::size_t>(step++ % 16)], false);
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
