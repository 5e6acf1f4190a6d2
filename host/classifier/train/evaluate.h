// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>

#include "classifier/train/model.h"

namespace attn {

struct Score {
  double loss_sum = 0;
  std::int64_t correct = 0;
  std::int64_t seen = 0;

  // Adds a batch: its logits and losses [B].
  void add(const Batch& batch, const std::vector<float>& logits, const std::vector<float>& losses);
  double loss() const { return seen > 0 ? loss_sum / static_cast<double>(seen) : 0; }
  double accuracy() const { return seen > 0 ? static_cast<double>(correct) / static_cast<double>(seen) : 0; }
};

// "loss 0.3512  accuracy 0.8512"
std::string to_string(const Score& score);

// All reviews in order. Shows progress under `what`; nothing where Ctrl-C came first.
std::optional<Score> evaluate(Model& model, const EncodedReviews& reviews, std::int64_t batch, const std::string& what);

// Reviews 0..count-1 in batches of at most `batch`: calls visit(batch, first review of it) after each forward pass;
// stops and returns false where visit does.
bool for_each_batch(Model& model, const EncodedReviews& reviews, std::int64_t batch,
                    const std::function<bool(const Batch&, std::int64_t)>& visit);

}  // namespace attn
