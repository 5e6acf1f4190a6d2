// SPDX-License-Identifier: Apache-2.0
//
// Prefetches batches: while the model works on one, the next is assembled and copied to the device.
#pragma once

#include <queue>
#include <vector>

#include "attn_cuda/feed.hpp"
#include "classifier/data/encoded.h"
#include "classifier/train/config.h"

namespace attn::classifier {

// One batch at two addresses: in host memory, and in the memory that calls on the handle read.
struct FedBatch {
  Batch host, device;
};

class BatchFeed {
 public:
  BatchFeed(const Handle& handle, const ModelConfig& config, std::int64_t largest_batch)
      : config_(config), largest_batch_(largest_batch), feed_(handle, Batch::bytes(largest_batch, config.T)) {}

  // Assembles a batch of the reviews `which` and enqueues its copy. At most two batches may be in flight, including the one
  // taken last.
  void send(const EncodedReviews& reviews, const std::vector<std::int64_t>& which);

  // Returns the oldest batch sent. It is valid until the next call, which recycles its memory.
  FedBatch take();

 private:
  ModelConfig config_;
  std::int64_t largest_batch_;
  Feed feed_;
  std::queue<Batch> sent_;  // not yet taken; host addresses
};

}  // namespace attn::classifier
