// SPDX-License-Identifier: Apache-2.0
//
// Runs a saved model on texts and assigns its attention to their words.
#pragma once

#include <string>
#include <vector>

#include "classifier/data/corpus.h"
#include "classifier/data/vocabulary.h"
#include "classifier/explain/explanation.h"
#include "classifier/train/model.h"
#include "classifier/train/model_file.h"

namespace attn::classifier {

// A model loaded from a file, ready to run.
struct LoadedModel {
  LoadedModel(const Handle& handle, const std::string& path, std::int64_t batch);

  ModelFile file;  // its tensors are moved into the model
  Vocabulary vocabulary;
  Model model;
};

// Returns one explanation per review, in order. `labelled`: the reviews have true labels, which the explanations show.
std::vector<Explanation> attend(LoadedModel& loaded, const std::vector<Review>& reviews, bool labelled);

// The fraction of the attention that falls on the marked tokens, and their fraction of the tokens read. marked[i][j] is
// for token j of review i.
struct MarkedShare {
  double attention, tokens;
};
MarkedShare marked_share(const std::vector<Explanation>& explanations, const std::vector<std::vector<bool>>& marked);

}  // namespace attn::classifier
