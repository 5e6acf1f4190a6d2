// SPDX-License-Identifier: Apache-2.0
//
// What the model attended to, ready to be shown.
#pragma once

#include <string>
#include <vector>

namespace attn::classifier {

struct WeightedWord {
  std::string text;  // UTF-8, as it stands in the review
  double weight;     // attention, the words of one review sum to at most 1 (the rest fell on padding)
  bool known;        // false: outside the vocabulary, the model saw "unknown"
};

struct Explanation {
  std::string title;                // where the review comes from
  std::string label;                // true label's name; empty: not known
  std::string prediction;           // predicted label's name
  double probability;               // of the prediction, 0.5..1
  std::vector<WeightedWord> words;  // the words the model read, in order
  std::size_t words_cut;            // words in front of them that did not fit into the model's length
};

struct TopWord {
  std::string text;      // lower case
  double mean_weight;    // mean attention over its occurrences
  std::size_t count;     // occurrences over the set of reviews
  double positive_rate;  // share of its occurrences that stand in reviews predicted as label 1, 0..1
};

struct ExplanationReport {
  std::string model;                     // one line: file, accuracy, settings
  std::vector<std::string> label_names;  // of label 0 and label 1
  std::vector<Explanation> reviews;
  std::vector<TopWord> top_words;  // most attended first
  std::size_t reviews_counted;     // the size of the set that top_words was taken from
};

// Most attended words by mean attention relative to the uniform weight; words rarer than `least_count` are left out.
std::vector<TopWord> top_words(const std::vector<Explanation>& reviews, const std::string& positive_label,
                               std::size_t least_count, std::size_t how_many);

// A self-contained page: no script from elsewhere, no network. Written to a temporary name and renamed.
void write_html(const std::string& path, const ExplanationReport& report);

// The same in one picture. Written to a temporary name and renamed.
void write_png(const std::string& path, const ExplanationReport& report);

// Words shaded by attention with 24-bit colour escapes where `colour`, else with the weight's rank in brackets after
// the strongest words. Wrapped at `width` columns.
std::string to_terminal(const Explanation& review, bool colour, int width);

}  // namespace attn::classifier
