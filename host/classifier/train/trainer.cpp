// SPDX-License-Identifier: Apache-2.0
#include "classifier/train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "classifier/console.h"
#include "classifier/failure.h"
#include "classifier/train/interrupt.h"
#include "classifier/train/progress.h"

namespace attn::classifier {

Trainer::Trainer(const Handle& handle, const EncodedCorpus& corpus, ModelFile start, TrainerFiles files,
                 const std::string& resumed)
    : handle_(&handle),
      corpus_(&corpus),
      description_(std::move(start)),
      files_(std::move(files)),
      model_(handle, description_.model, description_.training.batch, description_.training.storage),
      gradient_(handle, description_.model),
      m_(handle, description_.model),
      s_(handle, description_.model) {
  if (scales_loss()) nonfinite_ = Buffer<std::int32_t>(handle, 1);
  const std::map<std::string, Tensor> tensors = std::move(description_.tensors);
  description_.tensors.clear();
  if (description_.state) {
    state_ = *std::move(description_.state);
    description_.state.reset();
    require_within_epoch(resumed);
    model_.parameters().load(tensors, resumed);
    m_.load(tensors, resumed, "adam.m.");
    s_.load(tensors, resumed, "adam.s.");
    return;
  }
  Random random(description_.training.seed);
  initialise(model_.parameters(), description_.model, random);
  state_.random = random.state();
  if (scales_loss()) state_.loss_scale.value = LossScale::kInitial;
}

TransferReport Trainer::start_from(const InitialWeights& weights) {
  std::map<std::string, Tensor> tensors;
  model_.parameters().save(tensors);
  const TransferReport report = transfer(weights, description_.words, description_.label_names, tensors);
  model_.parameters().load(tensors, weights.path);
  return report;
}

// The state of a file decides at which review training continues.
void Trainer::require_within_epoch(const std::string& resumed) const {
  const std::int64_t seen = std::min(state_.step * description_.training.batch, corpus_->train.size());
  if (state_.step > steps_per_epoch() || state_.seen != seen)
    reject(resumed + ": state.step", "at most " + std::to_string(steps_per_epoch()) + ", with the reviews seen so far",
           std::to_string(state_.step) + " with " + std::to_string(state_.seen));
}

std::int64_t Trainer::steps_per_epoch() const {
  const std::int64_t batch = description_.training.batch;
  return (corpus_->train.size() + batch - 1) / batch;
}

bool Trainer::run() {
  const InterruptGuard guard;
  try {
    while (state_.epoch < description_.training.epochs)
      if (!run_epoch() || !finish_epoch()) {
        save(files_.model, true);
        return false;
      }
    if (!std::filesystem::exists(files_.model)) save(files_.model, true);  // nothing was left to do, and not there
  } catch (const OutputError&) {                                           // thrown between two steps
    save(files_.model, true);
    throw;
  }
  return true;
}

bool Trainer::run_epoch() {
  Random random(0);
  if (!random.restore(state_.random))
    throw Failure(ATTN_INVALID_ARGUMENT, "state.random: expected the state of a generator, got other text");
  std::vector<std::int64_t> order(static_cast<std::size_t>(corpus_->train.size()));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  random.shuffle(order);
  random_after_ = random.state();

  Progress progress(fmt::format("Epoch {}/{}", state_.epoch + 1, description_.training.epochs), corpus_->train.size(),
                    state_.seen);
  const std::int64_t batch = description_.training.batch;
  const auto figures = [&] { return to_string(Score{state_.loss_sum, state_.correct, state_.seen}); };
  BatchFeed feed = model_.make_feed();
  const auto send = [&](std::int64_t step) {
    if (step >= steps_per_epoch()) return;
    const auto first = order.begin() + step * batch;
    feed.send(corpus_->train, {first, first + std::min(batch, corpus_->train.size() - step * batch)});
  };
  send(state_.step);
  while (state_.step < steps_per_epoch()) {
    const auto before = std::chrono::steady_clock::now();
    const FedBatch made = feed.take();
    start_step(made);
    send(state_.step + 1);  // overlaps with the device's work on this step
    finish_step(made.host);
    state_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
    progress.update(state_.seen, figures());
    if (InterruptGuard::requested()) return false;
    if (state_.step % files_.save_every == 0) save(files_.model, true);
  }
  progress.finish(figures());
  return true;
}

// Enqueues all work of a step and waits for none of it.
void Trainer::start_step(const FedBatch& batch) {
  const auto scale = static_cast<float>(state_.loss_scale.value);
  model_.forward(batch, true, scale);
  model_.backward(gradient_);
  if (scales_loss())
    check(attn_find_nonfinite(handle_->get(), gradient_.count(), gradient_.block(), nonfinite_.data()));
  const TrainConfig& config = description_.training;
  const attn_adam_desc_t adam{sizeof adam,    config.rate,        config.beta_1, config.beta_2,
                              config.epsilon, state_.updates + 1, scale,         nonfinite_.data()};
  Parameters& parameters = model_.parameters();
  check(attn_adam_step(handle_->get(), &adam, parameters.count(), gradient_.block(), parameters.block(), m_.block(),
                       s_.block()));
}

// Waits for the results. If the loss is not finite, the parameters have become useless, and nothing is saved.
void Trainer::finish_step(const Batch& batch) {
  Score score{state_.loss_sum, state_.correct, state_.seen};
  score.add(batch, model_.logits(), model_.losses());
  if (!std::isfinite(score.loss_sum))
    throw Failure(ATTN_INVALID_ARGUMENT,
                  fmt::format("learning rate: expected one that keeps the loss finite, got {} and a loss that is not a "
                              "number in step {} of epoch {}",
                              description_.training.rate, state_.step + 1, state_.epoch + 1));
  const bool finite = !scales_loss() || nonfinite_.download().front() == 0;
  if (!finite && state_.loss_scale.value == 1)
    throw Failure(ATTN_INVALID_ARGUMENT,
                  fmt::format("learning rate: expected one that keeps gradients finite in fp16, got {} and one that is "
                              "not, at a loss scale of 1, in step {} of epoch {}",
                              description_.training.rate, state_.step + 1, state_.epoch + 1));
  if (scales_loss()) state_.loss_scale.update(finite);
  if (finite) ++state_.updates;
  ++state_.step;
  state_.loss_sum = score.loss_sum;
  state_.correct = score.correct;
  state_.seen = score.seen;
}

// Evaluates the model, records the results and advances to the next epoch. Returns false if interrupted.
bool Trainer::finish_epoch() {
  const Score train{state_.loss_sum, state_.correct, state_.seen};
  const std::optional<Score> test = evaluate(model_, corpus_->test, description_.training.batch, "  test");
  if (!test) return false;

  double best = -1;
  for (const EpochRecord& row : state_.history) best = std::max(best, row.test_accuracy);
  state_.history.push_back(
      {state_.epoch + 1, train.loss(), train.accuracy(), test->loss(), test->accuracy(), state_.seconds});

  state_.random = random_after_;
  ++state_.epoch;
  state_.step = state_.correct = state_.seen = 0;
  state_.loss_sum = state_.seconds = 0;

  if (test->accuracy() > best) save(files_.best, false);
  write_history(files_.history, state_.history);
  save(files_.model, true);
  return true;
}

void Trainer::save(const std::string& path, bool with_state) const {
  ModelFile file = description_;
  file.environment = Environment::of(*handle_);
  model_.parameters().save(file.tensors);
  if (with_state) {
    file.state = state_;
    m_.save(file.tensors, "adam.m.");
    s_.save(file.tensors, "adam.s.");
  }
  save_model(path, file);
}

}  // namespace attn::classifier
