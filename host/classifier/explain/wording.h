// SPDX-License-Identifier: Apache-2.0
//
// Text that page, picture and terminal share.
#pragma once

#include <string>

#include "classifier/explain/explanation.h"
#include "classifier/explain/shade.h"

namespace attn::classifier {

// Makes foreign text safe to show on one line: valid UTF-8, white space as spaces, other controls (see is_control) replaced.
std::string printable(const std::string& text);

std::string percent(double share);       // "4.2%"
std::string grouped(std::size_t count);  // "25,000"

// "right", "wrong", or "" if the label is not known.
std::string verdict(const Explanation& review);

// "… 34 earlier words not read", or "" if all words were read.
std::string cut_note(const Explanation& review);

// Explains the colours of this review, and how much attention fell on padding if it is at least 1 %.
std::string scale_note(const Explanation& review, const Shade& shade);

// "6 reviews, 5 of 6 right".
std::string summary(const ExplanationReport& report);

// "Top words over 25,000 reviews".
std::string top_words_title(const ExplanationReport& report);

// The name of label 1, which positive_rate counts.
std::string positive_name(const ExplanationReport& report);

// How far the bar of a top word is filled, as the colour of a word in a review is: empty at an even share, full for the word
// that gets most, but not below twice that share.
double top_word_bar(const ExplanationReport& report, const TopWord& word);

// "1.62"
std::string times_even_share(const TopWord& word);

constexpr const char* kTitle = "What the model attends to";
constexpr const char* kTopWordsColumn = "Attention, in even shares";
constexpr const char* kTopWordsNote =
    "1 is an even share of its review's attention, where bars begin; so words of long and short reviews compare.";
constexpr const char* kUnknownNote = "not in the vocabulary: the model read \xE2\x80\x9Cunknown\xE2\x80\x9D";

}  // namespace attn::classifier
