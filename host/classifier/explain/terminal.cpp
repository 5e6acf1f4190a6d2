// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "classifier/explain/explanation.h"
#include "classifier/explain/letters.h"
#include "classifier/explain/shade.h"
#include "classifier/explain/wording.h"

namespace attn::classifier {
namespace {

constexpr int kNarrowest = 10;       // columns; a smaller width is raised to this
constexpr std::size_t kRanked = 10;  // number of words marked when there is no colour
constexpr double kFaintest = 0.1;    // strength below which a shade is indistinguishable from none

int columns_of(gunichar letter) { return g_unichar_iszerowidth(letter) ? 0 : g_unichar_iswide(letter) ? 2 : 1; }

// Joins words into lines. Breaks lines between words, and inside a word only if it is wider than a line.
class Paragraphs {
 public:
  explicit Paragraphs(int width) : width_(std::max(width, kNarrowest)) {}

  // `style` is an escape sequence for the letters of the word, or "".
  void word(const std::string& text, const std::string& style = "") {
    put(text, style);
    change_style("");
  }

  void sentence(const std::string& text, const std::string& style = "") {
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find(' ', begin), text.size());
      put(text.substr(begin, end - begin), style);
      begin = end + 1;
    }
    change_style("");
  }

  // Resets the style first, so that a background does not extend past the end of the line.
  void newline() {
    change_style("");
    text_ += '\n';
    column_ = 0;
  }

  std::string take() { return std::move(text_); }

 private:
  void put(const std::string& text, const std::string& style) {
    if (text.empty()) return;
    int columns = 0;
    for_each_letter(text, [&](gunichar letter, std::string_view) { columns += columns_of(letter); });
    if (column_ > 0 && column_ + 1 + columns > width_) newline();
    if (column_ > 0) {
      text_ += ' ';
      ++column_;
    }
    for_each_letter(text, [&](gunichar letter, std::string_view bytes) {
      if (column_ + columns_of(letter) > width_) newline();
      change_style(style);
      text_ += bytes;
      column_ += columns_of(letter);
    });
  }

  void change_style(const std::string& style) {
    if (style == style_) return;
    if (!style_.empty()) text_ += "\x1b[0m";
    text_ += style;
    style_ = style;
  }

  int width_;
  int column_ = 0;
  std::string style_;  // active at the end of text_
  std::string text_;
};

std::string shaded(double strength) {
  const Rgb back = mix(kTerminalWeak, kTerminalStrong, strength);
  return fmt::format("\x1b[38;2;0;0;0;48;2;{};{};{}m", back.red, back.green, back.blue);
}

// Indices of the strongest words, strongest first, without words at or below the even share.
std::vector<std::size_t> strongest_words(const Explanation& review, const Shade& shade) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < review.words.size(); ++i) {
    if (shade.strength(review.words[i].weight) > 0) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return review.words[a].weight > review.words[b].weight; });
  order.resize(std::min(order.size(), kRanked));
  return order;
}

}  // namespace

std::string to_terminal(const Explanation& review, bool colour, int width) {
  const auto style = [&](const char* escape) { return std::string(colour ? escape : ""); };
  const std::string bold = style("\x1b[1m"), dim = style("\x1b[2m");
  const Shade shade = shade_of(review);
  const std::vector<std::size_t> strongest = strongest_words(review, shade);
  Paragraphs out(width);

  out.sentence(printable(review.title), bold);
  out.newline();
  out.sentence(fmt::format("predicted {} {}", printable(review.prediction), percent(review.probability)), bold);
  if (!review.label.empty()) {
    out.sentence(fmt::format("(label {}: {})", printable(review.label), verdict(review)),
                 style(verdict(review) == "right" ? "\x1b[32m" : "\x1b[31m"));
  }
  out.newline();
  out.newline();

  out.sentence(cut_note(review), dim);
  for (std::size_t i = 0; i < review.words.size(); ++i) {
    const WeightedWord& word = review.words[i];
    const double strength = shade.strength(word.weight);
    const auto rank = std::find(strongest.begin(), strongest.end(), i);
    std::string text = printable(word.text);
    if (!colour && rank != strongest.end()) text += fmt::format("[{}]", rank - strongest.begin() + 1);
    std::string escape;
    if (colour && !word.known) escape += "\x1b[4m";
    if (colour && strength >= kFaintest) escape += shaded(strength);
    out.word(text, escape);
  }
  out.newline();
  out.newline();

  if (colour) {
    out.sentence(scale_note(review, shade), dim);
    out.newline();
    out.sentence(std::string("Underlined: ") + kUnknownNote + ".", dim);
    out.newline();
    out.sentence("an even share", dim);
    for (const double strength : {0.1, 0.4, 0.7, 1.0}) out.word("   ", shaded(strength));
    out.sentence("full", dim);
  } else if (!strongest.empty()) {
    out.sentence(fmt::format("[1] marks the most attended word, {} of the attention; an even share is {}.",
                             percent(review.words[strongest.front()].weight), percent(shade.even)));
  }
  out.newline();
  return out.take();
}

}  // namespace attn::classifier
