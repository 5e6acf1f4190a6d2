// SPDX-License-Identifier: Apache-2.0
#include "classifier/explain/wording.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "classifier/explain/letters.h"

namespace attn::classifier {

std::string printable(const std::string& text) {
  const std::unique_ptr<char, void (*)(void*)> valid(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())),
                                                     g_free);
  std::string result;
  for_each_letter(valid.get(), [&](gunichar letter, std::string_view bytes) {
    if (g_unichar_isspace(letter)) {
      result += ' ';
    } else if (is_control(letter)) {
      result += "\xEF\xBF\xBD";
    } else {
      result += bytes;
    }
  });
  return result;
}

std::string percent(double share) {
  return std::isfinite(share) ? fmt::format("{:.1f}%", 100 * share) : "not a number";
}

std::string grouped(std::size_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t place = digits.size(); place > 3;) digits.insert(place -= 3, ",");
  return digits;
}

std::string verdict(const Explanation& review) {
  if (review.label.empty()) return "";
  return review.label == review.prediction ? "right" : "wrong";
}

std::string cut_note(const Explanation& review) {
  if (review.words_cut == 0) return "";
  return fmt::format("\xE2\x80\xA6 {} earlier {} not read", grouped(review.words_cut),
                     review.words_cut == 1 ? "word" : "words");
}

std::string scale_note(const Explanation& review, const Shade& shade) {
  if (review.words.empty()) return "No words to read.";
  if (!std::isfinite(shade.even)) return "The weights are not all numbers.";
  std::string note = fmt::format("Colour begins at {} of the attention, an even share, and is full at {}.",
                                 percent(shade.even), percent(shade.full));
  const double elsewhere = 1 - shade.even * static_cast<double>(review.words.size());
  if (elsewhere >= 0.01) note += fmt::format(" Padding got {}.", percent(elsewhere));
  return note;
}

std::string summary(const ExplanationReport& report) {
  std::size_t labelled = 0, right = 0;
  for (const Explanation& review : report.reviews) {
    labelled += review.label.empty() ? 0 : 1;
    right += verdict(review) == "right" ? 1 : 0;
  }
  std::string text = grouped(report.reviews.size()) + (report.reviews.size() == 1 ? " review" : " reviews");
  if (labelled > 0) text += fmt::format(", {} of {} right", grouped(right), grouped(labelled));
  return text;
}

std::string top_words_title(const ExplanationReport& report) {
  return fmt::format("Top words over {} {}", grouped(report.reviews_counted),
                     report.reviews_counted == 1 ? "review" : "reviews");
}

double top_word_bar(const ExplanationReport& report, const TopWord& word) {
  double most = 2;
  for (const TopWord& each : report.top_words) most = std::max(most, each.relative);
  return Shade{1, most}.strength(word.relative);
}

std::string times_even_share(const TopWord& word) { return fmt::format("{:.2f}", word.relative); }

std::string positive_name(const ExplanationReport& report) {
  return report.label_names.size() > 1 ? printable(report.label_names[1]) : "label 1";
}

}  // namespace attn::classifier
