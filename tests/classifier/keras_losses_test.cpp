// SPDX-License-Identifier: Apache-2.0
//
// Training compared with Keras: with the weights and batches that python_bench/export_keras.py exported, the loss of each
// step must agree with Keras's within 1e-4. The small traces in tests/data have the tensor names of an earlier version;
// ATTN_KERAS_TRACE names a larger trace.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>

#include "classifier/checkpoint/safetensors.h"
#include "classifier/train/model.h"

namespace attn::classifier {
namespace {

struct Trace {
  TensorFile file;
  std::int64_t steps, B, T;
  std::vector<std::int32_t> ids;      // [steps, B, T]
  std::vector<std::int32_t> lengths;  // [steps, B]; empty without masking
  std::vector<float> labels;          // [steps, B]
  std::vector<float> losses;          // [steps], as computed by Keras

  explicit Trace(const std::string& path) : file(load_tensors(path)) {
    file.tensors = with_current_names(std::move(file.tensors));
    const Tensor& batches = file.tensors.at("batches.ids");
    steps = batches.shape.at(0);
    B = batches.shape.at(1);
    T = batches.shape.at(2);
    ids = batches.values<std::int32_t>("batches.ids");
    labels = file.tensors.at("batches.labels").values<float>("batches.labels");
    losses = file.tensors.at("losses").values<float>("losses");
    if (file.tensors.count("batches.lengths") == 1)
      lengths = file.tensors.at("batches.lengths").values<std::int32_t>("batches.lengths");
  }

  ModelConfig config() const {
    ModelConfig config;
    config.V = static_cast<std::int32_t>(file.tensors.at("embedding").shape.at(0));
    config.E = file.tensors.at("embedding").shape.at(1);
    config.H = file.tensors.at("lstm.0.recurrent").shape.at(1);
    config.T = T;
    config.mask = !lengths.empty();
    return config;
  }

  // The reviews of a step. Without masking each has T ids, because padding at the front is a word like any other.
  EncodedReviews reviews(std::int64_t step) const {
    EncodedReviews of{{}, {0}, {}};
    for (std::int64_t b = step * B; b < (step + 1) * B; ++b) {
      const auto row = ids.begin() + b * T;
      of.ids.insert(of.ids.end(), row, row + (lengths.empty() ? T : lengths[static_cast<std::size_t>(b)]));
      of.offsets.push_back(static_cast<std::int64_t>(of.ids.size()));
      of.labels.push_back(static_cast<std::int32_t>(labels[static_cast<std::size_t>(b)]));
    }
    return of;
  }
};

void follow(const std::string& path) {
  const Trace trace(path);
  const Handle handle;
  const ModelConfig config = trace.config();
  Model model(handle, config, trace.B);
  BatchFeed feed = model.make_feed();
  std::vector<std::int64_t> all(static_cast<std::size_t>(trace.B));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  model.parameters().load(trace.file.tensors, path);
  Parameters gradient(handle, config), m(handle, config), s(handle, config);
  float worst = 0;
  for (std::int64_t step = 0; step < trace.steps; ++step) {
    feed.send(trace.reviews(step), all);
    model.forward(feed.take(), true);
    float loss = 0;
    for (float value : model.losses()) loss += value / static_cast<float>(trace.B);
    const float difference = std::abs(loss - trace.losses[static_cast<std::size_t>(step)]);
    EXPECT_LT(difference, 1e-4f) << "step " << step << ": Keras " << trace.losses[static_cast<std::size_t>(step)]
                                 << ", here " << loss;
    worst = std::max(worst, difference);

    model.backward(gradient);
    const attn_adam_desc_t adam{sizeof adam, 1e-3f, 0.9f, 0.999f, 1e-7f, step + 1, 1, nullptr};
    check(attn_adam_step(handle.get(), &adam, gradient.count(), gradient.block(), model.parameters().block(), m.block(),
                         s.block()));
  }
  std::printf("%s: %lld steps, largest difference of a loss %.2e\n", std::filesystem::path(path).filename().c_str(),
              static_cast<long long>(trace.steps), static_cast<double>(worst));
}

TEST(KerasLosses, SmallTraceAgrees) { follow(ATTN_TEST_DATA "/keras_small.safetensors"); }

TEST(KerasLosses, SmallMaskedTraceAgrees) { follow(ATTN_TEST_DATA "/keras_small_masked.safetensors"); }

TEST(KerasLosses, TraceOfTheEnvironmentAgrees) {
  const char* path = std::getenv("ATTN_KERAS_TRACE");
  if (path == nullptr) GTEST_SKIP() << "ATTN_KERAS_TRACE names no trace written by python_bench/export_keras.py";
  follow(path);
}

}  // namespace
}  // namespace attn::classifier
