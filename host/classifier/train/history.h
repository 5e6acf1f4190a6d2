// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace attn::classifier {

// The results of one epoch. Losses are means over reviews. Training figures are accumulated over the epoch's batches, each
// measured before its own update.
struct EpochRecord {
  std::int64_t epoch;  // from 1
  double train_loss, train_accuracy, test_loss, test_accuracy;
  double seconds;  // spent on training, without the evaluation
};

// Replaces the file `path`: with JSON if its name ends in .json, otherwise with CSV.
void write_history(const std::string& path, const std::vector<EpochRecord>& history);

}  // namespace attn::classifier
