// SPDX-License-Identifier: Apache-2.0
//
// Trains a model on encoded reviews, saving as it goes, so that an interrupted run continues bit for bit.
#pragma once

#include <string>
#include <vector>

#include "classifier/train/evaluate.h"
#include "classifier/train/model_file.h"

namespace attn {

struct TrainerFiles {
  std::string model;    // saved every `save_every` steps, after each epoch and when interrupted
  std::string best;     // weights of the epoch with the best test accuracy so far
  std::string history;  // .csv or .json, after each epoch
  std::int64_t save_every = 200;
};

class Trainer {
 public:
  // `start` holds configuration, data source and labels, and optionally tensors: with a state the run continues from it,
  // with parameters alone it starts from them, with none from random initial values. `source` names the tensors' file.
  Trainer(const Handle& handle, const EncodedCorpus& corpus, ModelFile start, TrainerFiles files,
          const std::string& source);

  // False where Ctrl-C ended it; the state is saved then.
  bool run();

  Model& model() { return model_; }
  const TrainState& state() const { return state_; }

 private:
  bool run_epoch();
  void start_step(const FedBatch& batch);
  void finish_step(const Batch& batch);
  bool finish_epoch();
  void save(const std::string& path, bool with_state) const;
  std::int64_t steps_per_epoch() const;
  bool scales_loss() const { return description_.training.storage == Storage::kFp16; }

  const Handle* handle_;
  const EncodedCorpus* corpus_;
  ModelFile description_;  // without tensors and state
  TrainerFiles files_;
  Model model_;
  Parameters gradient_, m_, s_;  // m, s: first and second moment of Adam
  TrainState state_;
  Buffer<std::int32_t> nonfinite_;  // in fp16: [1], whether the last step's gradient was, and the step was left out
  std::string random_after_;        // state of the generator behind this epoch's shuffle
};

}  // namespace attn
