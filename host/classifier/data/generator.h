// SPDX-License-Identifier: Apache-2.0
//
// Generated reviews for a first run without a data set. A few phrases among distractors decide the label, and both
// labels use the same words, so that a bag of words cannot tell them apart and attention has something to find.
#pragma once

#include <cstdint>
#include <vector>

#include "classifier/data/corpus.h"

namespace attn::classifier {

constexpr std::int64_t kMostGenerated = 1'000'000;  // of each part: a few hundred MB of text

struct GeneratedCorpus {
  Corpus corpus;
  // test_decisive[i][j]: whether token j (as tokenize() counts) of corpus.test[i] is one that decides its label.
  std::vector<std::vector<bool>> test_decisive;
};

// The same seed gives the same reviews on every platform.
GeneratedCorpus generate_reviews(std::int64_t train, std::int64_t test, std::uint64_t seed);

}  // namespace attn::classifier
