// SPDX-License-Identifier: Apache-2.0
//
// A model on disk: one safetensors file with parameters, vocabulary and configuration. Files from which training can be
// resumed also contain the moments of Adam ("adam.m.NAME", "adam.s.NAME") and the state of the run.
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

namespace attn::classifier {

// Where the reviews came from.
struct DataSource {
  std::string path;        // empty: the reviews were generated
  std::int64_t train = 0;  // number of generated training and test reviews
  std::int64_t test = 0;
  std::uint64_t seed = 0;   // of the generator
  std::string fingerprint;  // hash of all ids and labels
  ReadOptions options;
};

// The progress of a run. Together with parameters and moments it determines the rest of the run.
struct TrainState {
  std::int64_t epoch = 0;    // finished epochs
  std::int64_t step = 0;     // finished steps of the current epoch
  std::int64_t updates = 0;  // steps of Adam since the start of the run
  LossScale loss_scale;      // 1 unless in fp16
  std::string random;        // state of the generator at the start of the current epoch
  double loss_sum = 0;       // loss_sum, correct and seen count the reviews of the current epoch
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
  std::optional<TrainState> state;       // absent in files with weights only
  std::map<std::string, Tensor> tensors;
};

void save_model(const std::string& path, const ModelFile& file);

// Reads files of this and of earlier versions. Throws Failure for what load_tensors() refuses, for a safetensors file that
// is not a model of attn_train, and for settings, tensors and state that do not fit together.
ModelFile load_model(const std::string& path);

}  // namespace attn::classifier
