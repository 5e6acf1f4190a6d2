// SPDX-License-Identifier: Apache-2.0
//
// The text classifier: embedding, recurrent attention encoder (bidirectional LSTM, then attention), dense layer, sigmoid
// cross-entropy. It knows neither data sets nor files and runs on whatever backend its handle has.
#pragma once

#include <map>
#include <tuple>
#include <vector>

#include "attn_cuda/recurrent.hpp"
#include "classifier/train/batch_feed.h"
#include "classifier/train/parameters.h"

namespace attn::classifier {

class Model {
 public:
  // All parameters start at zero. No batch may have more than `largest_batch` reviews. Activations are stored as
  // `storage`, parameters in fp32.
  Model(const Handle& handle, const ModelConfig& config, std::int64_t largest_batch, Storage storage = Storage::kFp32);

  const ModelConfig& config() const { return config_; }
  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }

  BatchFeed make_feed() const;  // for batches of this model

  // Computes logits, losses and attention weights of a batch. With `training`, backward() may follow; it then computes
  // the gradient of the mean loss times `loss_scale`.
  void forward(const FedBatch& batch, bool training, float loss_scale = 1);
  std::vector<float> logits() const;   // [B] of the last forward
  std::vector<float> losses() const;   // [B] of the last forward, against the batch's labels
  std::vector<float> weights() const;  // [B, T] of the last forward, T as in its batch

  // Overwrites `gradient` with the gradient of the last forward, which must have been for training and whose batch must
  // still be valid.
  void backward(Parameters& gradient);

 private:
  RecurrentPlan& plan_for(bool training);  // for the shape of the last batch
  const std::int32_t* lengths() const { return config_.mask ? batch_.host.lengths : nullptr; }
  attn_dtype_t dtype() const { return static_cast<attn_dtype_t>(storage_); }
  Buffer<std::byte> activations(std::int64_t count) const;  // uninitialised, in the storage type
  Buffer<float> floats(std::int64_t count) const;           // uninitialised
  const Buffer<std::byte>& grown(Buffer<std::byte>& buffer, std::size_t bytes) const;

  const Handle* handle_;
  ModelConfig config_;
  Storage storage_;
  Parameters parameters_;
  // By B, T and whether for training: masked batches are cut to their longest review, and the last batch may be small.
  std::map<std::tuple<std::int64_t, std::int64_t, bool>, RecurrentPlan> plans_;

  FedBatch batch_;                         // of the last forward
  Buffer<std::byte> x_, d_x_;              // [B, T, E], input of the encoder
  Buffer<std::byte> weights_;              // [B, T]
  Buffer<std::byte> o_, d_o_;              // [B, D], output of the encoder
  Buffer<float> features_, d_features_;    // [B, D], the same in fp32, which the dense layer computes in
  Buffer<float> z_, d_z_, losses_;         // [B]
  Buffer<std::byte> reserve_, workspace_;  // of whichever plan runs, so as large as the largest needs
};

}  // namespace attn::classifier
