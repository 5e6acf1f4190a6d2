// SPDX-License-Identifier: Apache-2.0
//
// Conversion of settings and states to and from JSON, separate from their definitions because the JSON header is slow to
// compile. Checkpoints contain these names.
#pragma once

#include <nlohmann/json.hpp>

#include "classifier/train/model_file.h"

namespace attn::classifier {

NLOHMANN_JSON_SERIALIZE_ENUM(Attention, {{Attention::kPooling, "pooling"}, {Attention::kAdditive, "additive"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ModelConfig, V, T, E, H, attention, A, query, mask)
NLOHMANN_JSON_SERIALIZE_ENUM(Storage, {{Storage::kFp32, "fp32"}, {Storage::kFp16, "fp16"}, {Storage::kBf16, "bf16"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrainConfig, epochs, batch, rate, beta_1, beta_2, epsilon, seed, storage)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LossScale, value, clean)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Environment, version, backend, threads, target, libraries)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(EpochRecord, epoch, train_loss, train_accuracy, test_loss, test_accuracy, seconds)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DataSource, path, train, test, seed, fingerprint)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrainState, epoch, step, updates, loss_scale, random, loss_sum, correct, seen,
                                   seconds, history)

}  // namespace attn::classifier
