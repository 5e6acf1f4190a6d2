// SPDX-License-Identifier: Apache-2.0
#include "classifier/train/history.h"

#include <fmt/format.h>

#include <filesystem>

#include "classifier/atomic_file.h"
#include "classifier/train/json.h"

namespace attn::classifier {

void write_history(const std::string& path, const std::vector<EpochRecord>& history) {
  std::string text;
  if (std::filesystem::path(path).extension() == ".json") {
    text = nlohmann::json(history).dump(2) + "\n";
  } else {
    text = "epoch,train_loss,train_accuracy,test_loss,test_accuracy,seconds\n";
    for (const EpochRecord& row : history)
      text += fmt::format("{},{},{},{},{},{:.3f}\n", row.epoch, row.train_loss, row.train_accuracy, row.test_loss,
                          row.test_accuracy, row.seconds);
  }
  write_atomically(path, {text});
}

}  // namespace attn::classifier
