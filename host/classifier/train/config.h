// SPDX-License-Identifier: Apache-2.0
//
// What a model is and how it is trained. The defaults are the article's.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "attn_cuda/recurrent.h"
#include "classifier/data/encoded.h"

namespace attn::classifier {

enum class Attention { kPooling, kAdditive };

struct ModelConfig {
  std::int32_t V = 10000;  // vocabulary
  std::int64_t T = 200;    // ids per review
  std::int64_t E = 128;    // embedding width
  std::int64_t H = 64;     // LSTM hidden size per direction; the attention reads D = 2H
  Attention attention = Attention::kPooling;
  std::int64_t A = 128;      // additive: attention width
  std::int64_t query = 128;  // additive: width of the learned query
  bool mask = false;         // pad at the end and skip the padding

  std::int64_t D() const { return 2 * H; }
  Padding padding() const { return mask ? Padding::kEnd : Padding::kFront; }

  // Its encoder, in fp32 and without training, for an empty batch.
  attn_recurrent_desc_t encoder() const;
};

// The type of activations and their gradients, in training and inference. Parameters are always fp32.
enum class Storage { kFp32 = ATTN_DTYPE_FP32, kFp16 = ATTN_DTYPE_FP16, kBf16 = ATTN_DTYPE_BF16 };

struct TrainConfig {
  std::int64_t epochs = 5;
  std::int64_t batch = 32;
  float rate = 1e-3f;  // Adam
  float beta_1 = 0.9f;
  float beta_2 = 0.999f;
  float epsilon = 1e-7f;
  std::uint64_t seed = 1;
  Storage storage = Storage::kFp32;
};

// As the command line and files name them.
const std::map<std::string, Attention>& attention_names();
const std::map<std::string, Storage>& storage_names();

// Throw Failure naming the setting, what is allowed and the value given.
void require_valid(const ModelConfig& config);
void require_valid(const TrainConfig& config);

}  // namespace attn::classifier
