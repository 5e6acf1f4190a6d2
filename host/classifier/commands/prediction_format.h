// SPDX-License-Identifier: Apache-2.0
//
// How `attn_train predict` prints what it found, one line per text.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace attn::classifier {

enum class PredictionFormat { kTsv, kCsv, kJsonLines };

const std::map<std::string, PredictionFormat>& prediction_formats();  // by name

struct Prediction {
  std::string text;
  std::string label;       // empty if there was no text to label
  double probability = 0;  // of that label
  double positive = 0;     // of the second label
};

// The line before all others, with its end; empty if the format has none.
std::string header_of(PredictionFormat format, const std::vector<std::string>& label_names);

// TSV: label, its probability, the text, whose control characters and backslashes are escaped as in C.
// CSV (RFC 4180): text, label, probability of each label.
// JSON Lines: an object with text, label and the probabilities by label; the label of a blank line is null.
std::string line_of(PredictionFormat format, const Prediction& prediction, const std::vector<std::string>& label_names);

}  // namespace attn::classifier
