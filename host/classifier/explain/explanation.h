// SPDX-License-Identifier: Apache-2.0
//
// The attention of a model over the words of reviews, and the functions that show it.
#pragma once

#include <string>
#include <vector>

namespace attn::classifier {

struct WeightedWord {
  std::string text;  // UTF-8, as written in the review
  double weight;     // attention; the weights of one review sum to at most 1, the remainder fell on padding
  bool known;        // false: not in the vocabulary, so the model read "unknown"
};

struct Explanation {
  std::string title;                // the review's origin
  std::string label;                // name of the true label; empty if it is not known
  std::string prediction;           // name of the predicted label
  double probability;               // of the prediction, in 0.5..1
  std::vector<WeightedWord> words;  // the words the model read, in order
  std::size_t words_cut;            // the number of words before these, which exceed the model's length
};

struct TopWord {
  std::string text;      // lower case
  double mean_weight;    // mean attention over its occurrences
  double relative;       // the same in even shares of each review's attention, so that 1 is unremarkable
  std::size_t count;     // number of occurrences in the reviews
  double positive_rate;  // fraction of its occurrences that are in reviews predicted as label 1
};

struct ExplanationReport {
  std::string model;                     // one line: file, accuracy, settings
  std::vector<std::string> label_names;  // of label 0 and label 1
  std::vector<Explanation> reviews;
  std::vector<TopWord> top_words;  // most attended first
  std::size_t reviews_counted;     // the number of reviews that top_words was computed from
};

// The words with the largest mean attention relative to an even share of what a review's words got, largest first, without words that occur
// fewer than `least_count` times.
std::vector<TopWord> top_words(const std::vector<Explanation>& reviews, const std::string& positive_label,
                               std::size_t least_count, std::size_t how_many);

// Writes a self-contained HTML page, which loads nothing from elsewhere. The file is written under a temporary name and
// renamed.
void write_html(const std::string& path, const ExplanationReport& report);

// Writes the same as a PNG picture, likewise.
void write_png(const std::string& path, const ExplanationReport& report);

// The review with its words shaded by attention, wrapped at `width` columns. With `colour`, the shades are 24-bit
// escape sequences; otherwise the strongest words are followed by their rank in brackets.
std::string to_terminal(const Explanation& review, bool colour, int width);

}  // namespace attn::classifier
