// SPDX-License-Identifier: Apache-2.0
#include "classifier/train/batch_feed.h"

#include "classifier/failure.h"

namespace attn::classifier {

void BatchFeed::send(const EncodedReviews& reviews, const std::vector<std::int64_t>& which) {
  if (which.size() > static_cast<std::size_t>(largest_batch_))
    reject("which", "at most " + std::to_string(largest_batch_) + " reviews", std::to_string(which.size()));
  const Batch batch = make_batch(reviews, which, config_.T, config_.padding(), feed_.fill());
  feed_.send(Batch::bytes(batch.B, batch.T));
  sent_.push(batch);
}

FedBatch BatchFeed::take() {
  void* const device = feed_.take();
  const Batch host = sent_.front();
  sent_.pop();
  return {host, Batch(host.B, host.T, device)};
}

}  // namespace attn::classifier
