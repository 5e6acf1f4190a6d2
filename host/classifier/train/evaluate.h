// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>

#include "classifier/train/model.h"

namespace attn::classifier {

struct Score {
  double loss_sum = 0;
  std::int64_t correct = 0;
  std::int64_t seen = 0;

  // Adds the results of a batch, logits and losses [B].
  void add(const Batch& batch, const std::vector<float>& logits, const std::vector<float>& losses);
  double loss() const { return seen > 0 ? loss_sum / static_cast<double>(seen) : 0; }
  double accuracy() const { return seen > 0 ? static_cast<double>(correct) / static_cast<double>(seen) : 0; }
};

// "loss 0.3512  accuracy 0.8512"
std::string to_string(const Score& score);

// Scores all reviews, in order, and shows progress labelled `what`. Returns nothing if it was interrupted.
std::optional<Score> evaluate(Model& model, const EncodedReviews& reviews, std::int64_t batch, const std::string& what);

// Runs the forward pass on all reviews, in order, in batches of at most `batch`. After each it calls
// visit(batch, index of the batch's first review); if that returns false, so does this function, at once.
bool for_each_batch(Model& model, const EncodedReviews& reviews, std::int64_t batch,
                    const std::function<bool(const Batch&, std::int64_t)>& visit);

}  // namespace attn::classifier
