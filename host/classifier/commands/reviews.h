// SPDX-License-Identifier: Apache-2.0
//
// Reviews for the subcommands: from a data set, or generated where there is none.
#pragma once

#include <string>
#include <vector>

#include "classifier/data/encoded.h"
#include "classifier/data/generator.h"
#include "classifier/train/model_file.h"

namespace attn::classifier {

// Hash of all ids and labels, in hexadecimal.
std::string fingerprint(const EncodedCorpus& corpus);

// What `source` names, encoded with a vocabulary of its own training texts.
EncodedCorpus load_for_training(const DataSource& source, std::int32_t V, const std::string& cache_folder,
                                CacheReport& report);

// The test texts of the data that the model was trained on, or of those at `path` unless it is empty; refuses labels
// that the model does not know.
std::vector<Review> load_test_reviews(const ModelFile& model, const std::string& path);

// A text from the command line or standard input; refuses one that is not UTF-8. Its label means nothing.
Review checked_review(const std::string& text, const std::string& origin);

// The generated data that `source`, whose path is empty, describes.
GeneratedCorpus generated(const DataSource& source);

}  // namespace attn::classifier
