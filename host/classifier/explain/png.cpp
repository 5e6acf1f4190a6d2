// SPDX-License-Identifier: Apache-2.0
//
// The picture is drawn twice by the same code: first on a canvas of one pixel, to measure its height, then on the real
// one.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "classifier/atomic_file.h"
#include "classifier/explain/canvas.h"
#include "classifier/explain/explanation.h"
#include "classifier/explain/wording.h"

namespace attn::classifier {
namespace {

constexpr double kWidth = 1000, kMargin = 40, kPadding = 24;
constexpr double kInner = kWidth - 2 * kMargin - 2 * kPadding;
constexpr double kRow = 17;          // minimum height: text in a script without a font has almost none
constexpr double kTallest = 6000;    // below this height, further reviews are only in the page
constexpr double kMostDots = 32000;  // cairo's limit is 32767

constexpr Rgb kQuiet = {102, 97, 91}, kLine = {227, 224, 218}, kLabel = {29, 95, 168};
constexpr Rgb kRight = {20, 97, 58}, kRightPaper = {223, 243, 230}, kWrong = {155, 28, 46},
              kWrongPaper = {253, 228, 230};

constexpr TextStyle kHeading = {"Sans Bold 27px", kLight.ink};
constexpr TextStyle kSubheading = {"Sans Bold 18px", kLight.ink};
constexpr TextStyle kSmall = {"Sans 13px", kQuiet};
constexpr TextStyle kCaption = {"Sans Bold 13px", kQuiet};
constexpr TextStyle kBody = {"Serif 17px", kLight.ink, 1.45};
constexpr TextStyle kCell = {"Sans 14px", kLight.ink};
constexpr TextStyle kNumber = {"Sans 14px", kLight.ink, 1.0, true};

void draw_bar(Canvas& canvas, double x, double y, double width, double share, Rgb colour) {
  canvas.box(x, y, width, 8, 4, kLine);
  if (share > 0) canvas.box(x, y, width * filled(share), 8, 4, colour);
}

// Each of these functions draws at height y and returns the height below its output.
double draw_head(Canvas& canvas, double y, const ExplanationReport& report) {
  const double width = kWidth - 2 * kMargin;
  y += canvas.text(kMargin, y, width, kTitle, kHeading).height + 4;
  if (!report.model.empty()) y += canvas.text(kMargin, y, width, printable(report.model), kSmall).height + 10;
  double x = kMargin;
  x += canvas.text(x, y, width, summary(report), kSmall).width + 32;
  x += canvas.text(x, y, width, "an even share", kSmall).width + 10;
  canvas.gradient(x, y + 2, 130, 12, kLight.paper, kLight.heat);
  canvas.outline(x, y + 2, 130, 12, 3, kLine);
  x += 140;
  x += canvas.text(x, y, width, "most attended word of its review", kSmall).width + 32;
  return y + canvas.text(x, y, kWidth, "unknown word", kSmall, {}, {{0, 7, kQuiet}}).height + 20;
}

double draw_words(Canvas& canvas, double x, double y, const Explanation& review, const Shade& shade) {
  if (review.words_cut > 0) y += canvas.text(x, y, kInner, cut_note(review), kSmall).height + 10;
  if (review.words.empty()) return y;
  std::string text;
  std::vector<Highlight> highlights, dotted;
  for (const WeightedWord& word : review.words) {
    if (!text.empty()) text += ' ';
    const std::size_t begin = text.size();
    text += printable(word.text);
    const double strength = shade.strength(word.weight);
    if (strength > 0) highlights.push_back({begin, text.size(), mix(kLight.paper, kLight.heat, strength)});
    if (!word.known) dotted.push_back({begin, text.size(), kQuiet});
  }
  return y + canvas.text(x, y, kInner, text, kBody, highlights, dotted).height;
}

double draw_review(Canvas& canvas, double top, const Explanation& review) {
  const double x = kMargin + kPadding;
  double y = top + 18;
  y += canvas.text(x, y, kInner, printable(review.title), kCaption).height + 6;

  const TextSize prediction = canvas.text(x, y, kInner / 2, printable(review.prediction), kSubheading);
  double right = x + prediction.width + 14;
  draw_bar(canvas, right, y + 8, 110, review.probability, kLabel);
  right += 122;
  right += canvas.text(right, y + 3, 100, percent(review.probability), kCell).width + 16;
  const std::string result = verdict(review);
  if (!result.empty()) {
    const bool is_right = result == "right";
    const TextStyle style = {"Sans Bold 12px", is_right ? kRight : kWrong};
    const std::string tag = (is_right ? "\xE2\x9C\x93 right: the label is " : "\xE2\x9C\x97 wrong: the label is ") +
                            printable(review.label);
    const double room = kMargin + kPadding + kInner - right - 20;
    const TextSize size = canvas.text(right + 10, y + 4, room, tag, style);
    canvas.box(right, y, size.width + 20, size.height + 8, (size.height + 8) / 2, is_right ? kRightPaper : kWrongPaper);
    canvas.text(right + 10, y + 4, room, tag, style);
  }
  y += prediction.height + 12;

  const Shade shade = shade_of(review);
  y = draw_words(canvas, x, y, review, shade) + 12;
  y += canvas.text(x, y, kInner, scale_note(review, shade), kSmall).height + 18;
  canvas.outline(kMargin + 0.5, top + 0.5, kWidth - 2 * kMargin - 1, y - top - 1, 10, kLine);
  return y + 18;
}

double draw_top_words(Canvas& canvas, double top, const ExplanationReport& report) {
  const double x = kMargin + kPadding;
  double y = top + 18;
  y += canvas.text(x, y, kInner, top_words_title(report), kSubheading).height + 10;
  canvas.text(x, y, 210, "Word", kCaption);
  canvas.text(x + 230, y, 250, kTopWordsColumn, kCaption);
  canvas.text(x + 480, y, 80, "Times", {kCaption.font, kQuiet, 1.0, true});
  y += canvas.text(x + 600, y, 250, "In reviews predicted " + positive_name(report), kCaption).height + 6;
  for (const TopWord& word : report.top_words) {
    const double height = canvas.text(x, y, 210, printable(word.text), kCell).height;
    draw_bar(canvas, x + 230, y + 5, 180, top_word_bar(report, word), kLight.heat);
    canvas.text(x + 420, y, 60, times_even_share(word), kCell);
    canvas.text(x + 480, y, 80, grouped(word.count), kNumber);
    draw_bar(canvas, x + 600, y + 5, 180, word.positive_rate, kLabel);
    canvas.text(x + 790, y, 70, fmt::format("{:.0f}%", 100 * word.positive_rate), kCell);
    y += std::max(height, kRow) + 5;
  }
  y += 6;
  y += canvas.text(x, y, kInner, kTopWordsNote, kSmall).height + 18;
  canvas.outline(kMargin + 0.5, top + 0.5, kWidth - 2 * kMargin - 1, y - top - 1, 10, kLine);
  return y + 18;
}

double draw(Canvas& canvas, const ExplanationReport& report) {
  double y = draw_head(canvas, kMargin, report);
  if (!report.top_words.empty()) y = draw_top_words(canvas, y, report);
  for (std::size_t i = 0; i < report.reviews.size(); ++i) {
    if (y > kTallest) {
      const std::string more = fmt::format("\xE2\x80\xA6 {} more in the page", grouped(report.reviews.size() - i));
      y += canvas.text(kMargin, y, kInner, more, kSmall).height;
      break;
    }
    y = draw_review(canvas, y, report.reviews[i]);
  }
  return y + kMargin - 18;
}

}  // namespace

void write_png(const std::string& path, const ExplanationReport& report) {
  Canvas measure(1, 1, 1);
  const double height = std::ceil(draw(measure, report));
  Canvas canvas(static_cast<int>(kWidth), static_cast<int>(height), std::min(2.0, kMostDots / height));
  draw(canvas, report);
  write_atomically(path, {canvas.png()});
}

}  // namespace attn::classifier
