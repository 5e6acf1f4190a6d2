// SPDX-License-Identifier: Apache-2.0
//
// The classifier: embedding, bidirectional LSTM, attention, dense, sigmoid cross-entropy. Knows no data set and no
// files; runs on whatever backend its handle has.
#pragma once

#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "attn_cuda/encoder.hpp"
#include "classifier/train/batch_feed.h"
#include "classifier/train/parameters.h"

namespace attn {

class Model {
 public:
  // Zero parameters; `largest_batch` bounds B of every batch that comes. Activations are stored as `storage`, parameters in
  // fp32.
  Model(const Handle& handle, const ModelConfig& config, std::int64_t largest_batch, Storage storage = Storage::kFp32);

  const ModelConfig& config() const { return config_; }
  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }

  BatchFeed make_feed() const;  // for batches of this model

  // Logits, losses and attention weights of a batch; with `training`, backward() may follow, whose gradient is that of the
  // mean loss times `loss_scale`.
  void forward(const FedBatch& batch, bool training, float loss_scale = 1);
  std::vector<float> logits() const;   // [B] of the last forward
  std::vector<float> losses() const;   // [B] of the last forward, against the batch's labels
  std::vector<float> weights() const;  // [B, T] of the last forward, T as in its batch

  // Gradient of the last forward, which must have been for training, into `gradient`, which has the parameters' layout.
  // Its batch has to stand until then.
  void backward(Parameters& gradient);

 private:
  LstmPlan& lstm_for(bool training);  // of the last forward's shape
  template <class Args>
  Args lstm_args() const;
  const std::int32_t* lengths() const { return config_.mask ? batch_.device.lengths : nullptr; }
  const std::int32_t* host_lengths() const { return config_.mask ? batch_.host.lengths : nullptr; }
  const Buffer<std::byte>& grow(Buffer<std::byte>& buffer, std::size_t bytes);
  void attention_forward(bool training);
  void attention_backward(Parameters& gradient);
  template <class Args>
  Args pooling_args() const;
  void pooling_forward();
  void pooling_backward(Parameters& gradient);
  void clear_unused_bias(Parameters& gradient) const;

  attn_dtype_t dtype() const { return static_cast<attn_dtype_t>(storage_); }
  bool narrow() const { return storage_ != Storage::kFp32; }
  Buffer<std::byte> stored(std::int64_t count) const;  // room for activations
  // Values in fp32 as the LSTM and the attention take them, there or rounded to `place`; and back.
  const void* rounded(const float* values, std::int64_t count, const Buffer<std::byte>& place) const;
  void* place_of(float* values, const Buffer<std::byte>& place) const {
    return narrow() ? place.data() : static_cast<void*>(values);
  }
  void widen(const Buffer<std::byte>& place, std::int64_t count, float* values) const;

  attn_pooling_desc_t pooling_desc() const;
  attn_projected_desc_t projected_desc() const;

  const Handle* handle_;
  ModelConfig config_;
  Storage storage_;
  Parameters parameters_;
  std::map<std::tuple<std::int64_t, std::int64_t, bool>, LstmPlan> lstms_;

  FedBatch batch_;                                                              // of the last forward
  std::int64_t B_ = 0, T_ = 0;                                                  // its shape
  Buffer<std::byte> rows_, d_rows_;                                             // [B, T, E]
  Buffer<std::byte> y_, d_y_;                                                   // [B, T, D]
  Buffer<std::byte> weights_;                                                   // [B, T]
  Buffer<std::byte> narrow_o_, narrow_w_, narrow_b_, narrow_d_w_, narrow_d_b_;  // of the attention, where not fp32
  Buffer<float> o_, d_o_;                                                       // [B, D]
  Buffer<float> z_, d_z_, losses_;                                              // [B]
  Buffer<std::byte> lstm_reserve_, attention_reserve_, workspace_;
};

}  // namespace attn
