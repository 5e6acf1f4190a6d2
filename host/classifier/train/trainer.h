// SPDX-License-Identifier: Apache-2.0
//
// Trains a model on encoded reviews and saves its state regularly, so that an interrupted run can be resumed bit for bit.
#pragma once

#include <string>
#include <vector>

#include "classifier/train/evaluate.h"
#include "classifier/train/initial_weights.h"
#include "classifier/train/model_file.h"

namespace attn::classifier {

struct TrainerFiles {
  std::string model;    // with the state, saved every `save_every` steps, after each epoch and when interrupted
  std::string best;     // weights of the epoch with the best test accuracy so far
  std::string history;  // .csv or .json, after each epoch
  std::int64_t save_every = 200;
};

class Trainer {
 public:
  // `start` holds configuration, data source and labels. If it has a state, the run is resumed from state and tensors,
  // which come from the file `resumed`; otherwise initial values are random.
  Trainer(const Handle& handle, const EncodedCorpus& corpus, ModelFile start, TrainerFiles files,
          const std::string& resumed);

  // Replaces the initial values by those of another model, where it has them.
  TransferReport start_from(const InitialWeights& weights);

  // Returns false if the run was interrupted, and throws OutputError if its progress cannot be printed; its state has been
  // saved then.
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
  void require_within_epoch(const std::string& resumed) const;
  bool scales_loss() const { return description_.training.storage == Storage::kFp16; }

  const Handle* handle_;
  const EncodedCorpus* corpus_;
  ModelFile description_;  // without tensors and state
  TrainerFiles files_;
  Model model_;
  Parameters gradient_, m_, s_;  // m, s: first and second moment of Adam
  TrainState state_;
  Buffer<std::int32_t> nonfinite_;  // in fp16: [1], not 0 if the last step was skipped because of its gradients
  std::string random_after_;        // state of the generator after this epoch's shuffle
};

}  // namespace attn::classifier
