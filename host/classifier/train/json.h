// SPDX-License-Identifier: Apache-2.0
//
// Conversion of settings and states to and from JSON, separate from their definitions because the JSON header is slow to
// compile. Checkpoints contain these names.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "classifier/failure.h"
#include "classifier/train/model_file.h"

namespace attn::classifier {

// The library's own conversion takes an unknown name for the first one.
template <class Enum>
Enum named(const nlohmann::json& value, const char* setting, const std::map<std::string, Enum>& names) {
  const auto found = names.find(value.get<std::string>());
  if (found != names.end()) return found->second;
  std::string known;
  for (const auto& [name, unused] : names) known += (known.empty() ? "" : ", ") + name;
  reject(setting, "one of " + known, value.dump());
}

template <class Enum>
std::string name_of(Enum wanted, const std::map<std::string, Enum>& names) {
  for (const auto& [name, value] : names)
    if (value == wanted) return name;
  throw Failure(ATTN_INTERNAL_ERROR, "settings: expected a value with a name, got another one");
}

inline void to_json(nlohmann::json& value, Attention attention) { value = name_of(attention, attention_names()); }
inline void from_json(const nlohmann::json& value, Attention& attention) {
  attention = named(value, "attention", attention_names());
}
inline void to_json(nlohmann::json& value, Storage storage) { value = name_of(storage, storage_names()); }
inline void from_json(const nlohmann::json& value, Storage& storage) {
  storage = named(value, "storage", storage_names());
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ModelConfig, V, T, E, H, attention, A, query, mask)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrainConfig, epochs, batch, rate, beta_1, beta_2, epsilon, seed, storage)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LossScale, value, clean)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Environment, version, backend, threads, target, libraries)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(EpochRecord, epoch, train_loss, train_accuracy, test_loss, test_accuracy, seconds)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ReadOptions, text_column, label_column, separator, encoding, text_limit, total_limit)
// Files of earlier versions have no options.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DataSource, path, train, test, seed, fingerprint, options)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrainState, epoch, step, updates, loss_scale, random, loss_sum, correct, seen,
                                   seconds, history)

}  // namespace attn::classifier
