// SPDX-License-Identifier: Apache-2.0
//
// A model on disk: one safetensors file with the parameters, the vocabulary and the configuration, and, where training can go
// on from it, the moments of Adam ("adam.m.NAME", "adam.s.NAME") and the state of the run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "classifier/checkpoint/safetensors.h"
#include "classifier/train/config.h"
#include "classifier/train/environment.h"
#include "classifier/train/history.h"
#include "classifier/train/loss_scale.h"

namespace attn {

// Where the reviews came from.
struct DataSource {
  std::string path;        // empty: generated
  std::int64_t train = 0;  // generated: how many
  std::int64_t test = 0;
  std::uint64_t seed = 0;   // generated
  std::string fingerprint;  // hash of all ids and labels
};

// How far a run is. Together with the parameters and moments it determines all that follows.
struct TrainState {
  std::int64_t epoch = 0;    // epochs finished
  std::int64_t step = 0;     // steps done in the epoch after them
  std::int64_t updates = 0;  // steps of Adam in all
  LossScale loss_scale;      // 1 but in fp16
  std::string random;        // state of the generator at the start of that epoch
  double loss_sum = 0;       // over the reviews seen in that epoch, like the next two
  std::int64_t correct = 0;
  std::int64_t seen = 0;
  double seconds = 0;
  std::vector<EpochRecord> history;
};

struct ModelFile {
  ModelConfig model;
  TrainConfig training;
  DataSource data;
  Environment environment;
  std::vector<std::string> words;        // vocabulary, by id from kFirstWord on
  std::vector<std::string> label_names;  // of label 0 and label 1
  std::optional<TrainState> state;       // none: weights only
  std::map<std::string, Tensor> tensors;
};

void save_model(const std::string& path, const ModelFile& file);

// Refuses what load_tensors refuses, a safetensors file that is no model of ours, and one whose settings, tensors and
// state do not fit together.
ModelFile load_model(const std::string& path);

}  // namespace attn
