// SPDX-License-Identifier: Apache-2.0
#include "classifier/train/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "classifier/train/interrupt.h"
#include "classifier/train/progress.h"

namespace attn::classifier {

void Score::add(const Batch& batch, const std::vector<float>& logits, const std::vector<float>& losses) {
  for (std::size_t b = 0; b < logits.size(); ++b) {
    loss_sum += static_cast<double>(losses[b]);
    correct += (logits[b] > 0) == (batch.labels[b] > 0.5f) ? 1 : 0;
  }
  seen += batch.B;
}

std::string to_string(const Score& score) {
  return fmt::format("loss {:.4f}  accuracy {:.4f}", score.loss(), score.accuracy());
}

bool for_each_batch(Model& model, const EncodedReviews& reviews, std::int64_t batch,
                    const std::function<bool(const Batch&, std::int64_t)>& visit) {
  BatchFeed feed = model.make_feed();
  const auto send = [&](std::int64_t first) {
    if (first >= reviews.size()) return;
    std::vector<std::int64_t> which(static_cast<std::size_t>(std::min(batch, reviews.size() - first)));
    std::iota(which.begin(), which.end(), first);
    feed.send(reviews, which);
  };
  send(0);
  for (std::int64_t first = 0; first < reviews.size(); first += batch) {
    const FedBatch made = feed.take();
    model.forward(made, false);
    send(first + batch);  // overlaps with the device's work on this batch
    if (!visit(made.host, first)) return false;
  }
  return true;
}

std::optional<Score> evaluate(Model& model, const EncodedReviews& reviews, std::int64_t batch,
                              const std::string& what) {
  Progress progress(what, reviews.size());
  Score score;
  const bool complete = for_each_batch(model, reviews, batch, [&](const Batch& made, std::int64_t) {
    score.add(made, model.logits(), model.losses());
    progress.update(score.seen, to_string(score));
    return !InterruptGuard::requested();
  });
  if (!complete) return std::nullopt;
  progress.finish(to_string(score));
  return score;
}

}  // namespace attn::classifier
