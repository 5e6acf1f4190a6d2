// SPDX-License-Identifier: Apache-2.0
//
// Reviews for the subcommands: from a data set, or generated where there is none.
#pragma once

#include <string>
#include <vector>

#include "classifier/data/encoded.h"
#include "classifier/data/generator.h"
#include "classifier/train/model_file.h"

namespace attn {

// Hash of all ids and labels, in hexadecimal.
std::string fingerprint(const EncodedCorpus& corpus);

// What `source` names, encoded with a vocabulary of its own training texts.
EncodedCorpus load_for_training(const DataSource& source, std::int32_t V, const std::string& cache_folder,
                                CacheReport& report);

// The test texts of `source`, for a model with these label names; refuses a data set with others.
std::vector<Review> load_test_reviews(const DataSource& source, const std::vector<std::string>& label_names);

// A text from the command line or standard input; refuses one that is not UTF-8. Its label means nothing.
Review checked_review(const std::string& text, const std::string& origin);

// The generated data that `source`, whose path is empty, describes.
GeneratedCorpus generated(const DataSource& source);

}  // namespace attn
