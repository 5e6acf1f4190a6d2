// SPDX-License-Identifier: Apache-2.0
#include "classifier/commands/reviews.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "classifier/checkpoint/checksum.h"
#include "classifier/console.h"
#include "classifier/data/tokenizer.h"
#include "classifier/failure.h"

namespace attn::classifier {
namespace {

template <class T>
void add(Checksum& sum, const std::vector<T>& values) {
  sum.add(values.data(), values.size() * sizeof(T));
}

}  // namespace

std::string fingerprint(const EncodedCorpus& corpus) {
  Checksum sum;
  for (const EncodedReviews* part : {&corpus.train, &corpus.test}) {
    add(sum, part->ids);
    add(sum, part->offsets);
    add(sum, part->labels);
  }
  return sum.digits();
}

Review checked_review(const std::string& text, const std::string& origin) {
  require_utf8(text, origin);
  return {text, 0, origin};
}

GeneratedCorpus generated(const DataSource& source) { return generate_reviews(source.train, source.test, source.seed); }

EncodedCorpus load_for_training(const DataSource& source, std::int32_t V, const std::string& cache_folder,
                                CacheReport& report) {
  EncodedCorpus corpus = source.path.empty() ? encode_corpus(generated(source).corpus, V)
                                             : load_encoded(source.path, V, cache_folder, &report, source.options);
  if (corpus.train.size() == 0 || corpus.test.size() == 0)
    throw Failure(ATTN_INVALID_ARGUMENT, fmt::format("{}: expected reviews to train on and to test with, got {} and {}",
                                                     source.path, corpus.train.size(), corpus.test.size()));
  return corpus;
}

std::vector<Review> load_test_reviews(const ModelFile& model, const std::string& path, const ReadOptions& options) {
  if (!path.empty()) {
    Reviews given = load_to_test(path, model.label_names, options);
    note_skipped(given.skipped);
    return std::move(given.reviews);
  }
  const std::string& place = model.data.path;
  Corpus corpus = place.empty() ? generated(model.data).corpus : load_corpus(place, model.data.options);
  if (corpus.label_names != model.label_names)
    throw Failure(ATTN_INVALID_ARGUMENT, fmt::format("{}: expected the labels {} that the model knows, got {}", place,
                                                     model.label_names, corpus.label_names));
  note_skipped(corpus.skipped);
  return std::move(corpus.test);
}

void note_skipped(const Skipped& skipped) {
  const auto note = [](std::int64_t count, const char* kind, const char* what) {
    if (count > 0) print_note("{} {} {}{} skipped\n", count, kind, what, count == 1 ? " was" : "s were");
  };
  note(skipped.empty, "empty", "text");
  note(skipped.hidden, "hidden", "file");
}

}  // namespace attn::classifier
