// SPDX-License-Identifier: Apache-2.0
//
// Reviews for the subcommands: from a data set, or generated if there is none.
#pragma once

#include <string>
#include <vector>

#include "classifier/data/cache.h"
#include "classifier/data/generator.h"
#include "classifier/train/model_file.h"

namespace attn::classifier {

// A hash of all ids and labels, in hexadecimal.
std::string fingerprint(const EncodedCorpus& corpus);

// Reads or generates the reviews of `source` and encodes them with the vocabulary of their training part.
EncodedCorpus load_for_training(const DataSource& source, std::int32_t V, const std::string& cache_folder,
                                CacheReport& report);

// The test part of the data at `path`, or all texts if it has none, read with
// the options; if `path` is empty, the test reviews of the data that
// the model was trained on. Throws Failure if the labels are not those of the model.
std::vector<Review> load_test_reviews(const ModelFile& model, const std::string& path, const ReadOptions& options);

// Says how many empty texts and hidden files were left out, if there were any.
void note_skipped(const Skipped& skipped);

// A text from the command line or standard input, without a meaningful label. Throws Failure if it is not UTF-8.
Review checked_review(const std::string& text, const std::string& origin);

// Generates the reviews that `source`, whose path is empty, describes.
GeneratedCorpus generated(const DataSource& source);

}  // namespace attn::classifier
