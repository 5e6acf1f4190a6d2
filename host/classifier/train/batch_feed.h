// SPDX-License-Identifier: Apache-2.0
//
// Batches on their way to a model: the next is made, and copied to the device, while the model works on the one before.
#pragma once

#include <queue>
#include <vector>

#include "attn_cuda/feed.hpp"
#include "classifier/data/encoded.h"
#include "classifier/train/config.h"

namespace attn {

// The same batch twice: for what the host reads, and for the calls of a handle.
struct FedBatch {
  Batch host, device;
};

class BatchFeed {
 public:
  BatchFeed(const Handle& handle, const ModelConfig& config, std::int64_t largest_batch)
      : config_(config), largest_batch_(largest_batch), feed_(handle, Batch::bytes(largest_batch, config.T)) {}

  // A batch of reviews `which`, made where it is copied from. At most two are on their way, one while another is taken.
  void send(const EncodedReviews& reviews, const std::vector<std::int64_t>& which);

  // The oldest batch sent; it stands until the next is taken.
  FedBatch take();

 private:
  ModelConfig config_;
  std::int64_t largest_batch_;
  Feed feed_;
  std::queue<Batch> sent_;  // on the host
};

}  // namespace attn
