// SPDX-License-Identifier: Apache-2.0
//
// Training on random batches, with a model on the backend of a handle and with the reference.
#pragma once

#include "classifier/random.h"
#include "classifier/reference_model.h"
#include "classifier/train/model.h"

namespace attn::classifier::test {

// The backends on which a model can run in this build.
inline std::vector<attn_backend_t> model_backends() {
#ifdef ATTN_WITH_CUDNN
  return {ATTN_BACKEND_CPU, ATTN_BACKEND_CUDA};
#else
  return {ATTN_BACKEND_CPU};
#endif
}

// Random ids and labels; the first review has T ids, the others 1 to T.
inline EncodedReviews random_reviews(const ModelConfig& config, std::int64_t B, Random& random) {
  EncodedReviews reviews;
  reviews.offsets.push_back(0);
  for (std::int64_t b = 0; b < B; ++b) {
    const std::int64_t length =
        b == 0 ? config.T : 1 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(config.T)));
    for (std::int64_t t = 0; t < length; ++t)
      reviews.ids.push_back(1 + static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(config.V - 1))));
    reviews.offsets.push_back(static_cast<std::int64_t>(reviews.ids.size()));
    reviews.labels.push_back(static_cast<std::int32_t>(random.below(2)));
  }
  return reviews;
}

// The mean of a batch's losses.
template <class Values>
double mean(const Values& losses) {
  double sum = 0;
  for (const auto loss : losses) sum += static_cast<double>(loss);
  return sum / static_cast<double>(losses.size());
}

// A model with the initial values of a seed, trained with Adam, which skips steps whose gradient is not finite.
class ModelTraining {
 public:
  ModelTraining(const Handle& handle, const ModelConfig& config, std::int64_t B, float rate, std::uint64_t seed,
                Storage storage = Storage::kFp32, float loss_scale = 1)
      : handle_(&handle),
        rate_(rate),
        loss_scale_(loss_scale),
        model_(handle, config, B, storage),
        feed_(model_.make_feed()),
        gradient_(handle, config),
        m_(handle, config),
        s_(handle, config),
        left_out_(handle, 1) {
    Random random(seed);
    initialise(model_.parameters(), config, random);
  }

  const Parameters& parameters() const { return model_.parameters(); }

  // Returns the loss before the step.
  double step(const EncodedReviews& reviews) {
    feed_.send(reviews, all_of(reviews));
    model_.forward(feed_.take(), true, loss_scale_);
    model_.backward(gradient_);
    const double loss = mean(model_.losses());
    check(attn_find_nonfinite(handle_->get(), gradient_.count(), gradient_.block(), left_out_.data()));
    const attn_adam_desc_t adam{sizeof adam, rate_, 0.9f, 0.999f, 1e-7f, ++steps_, loss_scale_, left_out_.data()};
    check(attn_adam_step(handle_->get(), &adam, model_.parameters().count(), gradient_.block(),
                         model_.parameters().block(), m_.block(), s_.block()));
    return loss;
  }

  bool left_out() const { return left_out_.download().front() != 0; }  // whether the last step was skipped

 private:
  const Handle* handle_;
  float rate_, loss_scale_;
  Model model_;
  BatchFeed feed_;
  Parameters gradient_, m_, s_;
  Buffer<std::int32_t> left_out_;  // [1]
  std::int64_t steps_ = 0;
};

// The same training in double precision, starting from the same parameters.
class ReferenceTraining {
 public:
  ReferenceTraining(const ModelConfig& config, const Parameters& start, float rate)
      : config_(config), rate_(static_cast<double>(rate)), p_(widened(start)) {
    for (const auto& [name, values] : p_) m_[name] = s_[name] = std::vector<double>(values.size(), 0.0);
  }

  double step(const EncodedReviews& reviews) {
    const ReferenceStep step = reference_step(config_, p_, reviews);
    ++steps_;
    for (auto& [name, values] : p_)
      reference::adam_step({rate_, static_cast<double>(0.9f), static_cast<double>(0.999f), static_cast<double>(1e-7f)},
                           steps_, step.gradient.at(name), values, m_[name], s_[name]);
    return mean(step.losses);
  }

 private:
  ModelConfig config_;
  double rate_;
  Tensors p_, m_, s_;
  std::int64_t steps_ = 0;
};

}  // namespace attn::classifier::test
