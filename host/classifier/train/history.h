// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace attn {

// One epoch. Losses are means over reviews; "train" figures are running means over the epoch's batches, as each was
// before its own update.
struct EpochRecord {
  std::int64_t epoch;  // from 1
  double train_loss, train_accuracy, test_loss, test_accuracy;
  double seconds;  // of training, without the evaluation
};

// As JSON where `path` ends in .json, else as CSV; replaced as a whole.
void write_history(const std::string& path, const std::vector<EpochRecord>& history);

}  // namespace attn
