// SPDX-License-Identifier: Apache-2.0
//
// What page, picture and terminal say in the same words.
#pragma once

#include <string>

#include "classifier/explain/explanation.h"
#include "classifier/explain/shade.h"

namespace attn::classifier {

// Fit to be shown on one line: valid UTF-8, white space as a space, other control characters (a terminal would obey
// them) replaced.
std::string printable(const std::string& text);

std::string percent(double share);       // "4.2%"
std::string grouped(std::size_t count);  // "25,000"

// "right", "wrong", or "" where the label is not known.
std::string verdict(const Explanation& review);

// "… 34 earlier words not read", or "" where all were.
std::string cut_note(const Explanation& review);

// What the colours of this review mean, and how much attention the padding got if that is worth saying.
std::string scale_note(const Explanation& review, const Shade& shade);

// "6 reviews, 5 of 6 right".
std::string summary(const ExplanationReport& report);

// "Top words over 25,000 reviews".
std::string top_words_title(const ExplanationReport& report);

// Name of label 1, to say what positive_rate counts.
std::string positive_name(const ExplanationReport& report);

constexpr const char* kTitle = "What the model attends to";
constexpr const char* kTopWordsNote =
    "Sorted by attention relative to an even share, so that words of long and short reviews compare.";
constexpr const char* kUnknownNote = "not in the vocabulary, the model saw \xE2\x80\x9Cunknown\xE2\x80\x9D";

}  // namespace attn::classifier
