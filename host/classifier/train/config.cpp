// SPDX-License-Identifier: Apache-2.0
#include "classifier/train/config.h"

#include "classifier/failure.h"

namespace attn::classifier {
namespace {

void require_rate(const char* name, float value, bool allowed, const char* expected) {
  if (!allowed) reject(name, expected, std::to_string(value));
}

}  // namespace

attn_recurrent_desc_t ModelConfig::encoder() const {
  attn_recurrent_desc_t desc{};
  desc.struct_size = sizeof desc;
  desc.E = E;
  desc.H = H;
  desc.layers = 1;
  desc.directions = 2;
  if (attention == Attention::kPooling) {
    desc.attention = ATTN_ATTENTION_POOLING;
    desc.positions = T;
  } else {
    desc.attention = ATTN_ATTENTION_ADDITIVE;
    desc.Q = 1;
    desc.A = A;
    desc.P = query;
    desc.omit_key_bias = 1;  // as in the article: the projected query already adds the same vector to every key
  }
  return desc;
}

const std::map<std::string, Attention>& attention_names() {
  static const std::map<std::string, Attention> names{{"pooling", Attention::kPooling},
                                                      {"additive", Attention::kAdditive}};
  return names;
}

const std::map<std::string, Storage>& storage_names() {
  static const std::map<std::string, Storage> names{
      {"fp32", Storage::kFp32}, {"fp16", Storage::kFp16}, {"bf16", Storage::kBf16}};
  return names;
}

void require_valid(const ModelConfig& config) {
  constexpr std::int64_t kWidest = 1 << 16;
  require_range("vocabulary", config.V, kFirstWord + 1, std::int64_t{1} << 30);
  require_range("length", config.T, 1, 1 << 20);
  require_range("embedding", config.E, 1, kWidest);
  require_range("hidden", config.H, 1, kWidest);
  require_range("attention width", config.A, 1, kWidest);
  require_range("query width", config.query, 1, kWidest);
}

void require_valid(const TrainConfig& config) {
  require_range("epochs", config.epochs, 1, 1 << 20);
  require_range("batch", config.batch, 1, 1 << 16);
  require_rate("learning rate", config.rate, config.rate > 0, "more than 0");
  require_rate("beta-1", config.beta_1, config.beta_1 >= 0 && config.beta_1 < 1, "0 or more and less than 1");
  require_rate("beta-2", config.beta_2, config.beta_2 >= 0 && config.beta_2 < 1, "0 or more and less than 1");
  require_rate("epsilon", config.epsilon, config.epsilon > 0, "more than 0, so that no gradient is divided by 0");
}

}  // namespace attn::classifier
