// SPDX-License-Identifier: Apache-2.0
//
// Made-up reviews for a first run without a data set: a few phrases among distractors and negations decide the label, so
// that a bag of words cannot tell and attention has something to find.
#pragma once

#include <cstdint>
#include <vector>

#include "classifier/data/corpus.h"

namespace attn::classifier {

struct GeneratedCorpus {
  Corpus corpus;
  // decisive[i][j]: token j (as tokenize() counts) of corpus.test[i] is one of those that decide its label.
  std::vector<std::vector<bool>> test_decisive;
};

// Deterministic in `seed` on every platform.
GeneratedCorpus generate_reviews(std::int64_t train, std::int64_t test, std::uint64_t seed);

}  // namespace attn::classifier
