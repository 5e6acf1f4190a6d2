// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "classifier/atomic_file.h"
#include "classifier/explain/explanation.h"
#include "classifier/explain/page_style.h"
#include "classifier/explain/shade.h"
#include "classifier/explain/wording.h"

namespace attn::classifier {
namespace {

// Escapes text for element content and for attribute values in double quotes.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char letter : printable(text)) {
    switch (letter) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += letter;
    }
  }
  return result;
}

std::string colours(const Scheme& scheme, const char* others) {
  const auto numbers = [](Rgb c) { return fmt::format("{} {} {}", c.red, c.green, c.blue); };
  return fmt::format("--paper:rgb({});--ink:rgb({});--heat:{};{}", numbers(scheme.paper), numbers(scheme.ink),
                     numbers(scheme.heat), others);
}

// A bar filled to `share`. It is hidden from screen readers, because the figure is next to it.
std::string bar(double share, const char* kind) {
  return fmt::format(R"(<span class="bar {}" aria-hidden="true"><i style="width:{:.1f}%"></i></span>)", kind,
                     100 * filled(share));
}

std::string word_html(const WeightedWord& word, const Shade& shade) {
  const double strength = shade.strength(word.weight);
  return fmt::format(R"(<span{}{} title="{:.2f}% of the attention{}">{}</span>)",
                     word.known ? "" : R"( class="unknown")",
                     strength > 0 ? fmt::format(R"( style="--s:{:.3f}")", strength) : "", 100 * word.weight,
                     word.known ? "" : std::string("; ") + kUnknownNote, escaped(word.text));
}

std::string review_html(const Explanation& review) {
  const Shade shade = shade_of(review);
  std::string html = fmt::format(
      "<article class=\"card\">\n<h3>{}</h3>\n<p class=\"verdict\"><b>{}</b>{}<span>{}</span>", escaped(review.title),
      escaped(review.prediction), bar(review.probability, ""), percent(review.probability));
  if (!review.label.empty()) {
    const std::string result = verdict(review);
    html += fmt::format("<span class=\"tag {0}\">{1} {0}: the label is {2}</span>", result,
                        result == "right" ? "\xE2\x9C\x93" : "\xE2\x9C\x97", escaped(review.label));
  }
  html += "</p>\n<p class=\"text\" dir=\"auto\">";
  if (review.words_cut > 0) html += fmt::format("<em class=\"cut\">{}</em>\n", cut_note(review));
  for (const WeightedWord& word : review.words) html += word_html(word, shade) + '\n';
  return html + fmt::format("</p>\n<p class=\"note\">{}</p>\n</article>\n", scale_note(review, shade));
}

std::string top_words_html(const ExplanationReport& report) {
  std::string html = fmt::format(
      "<section class=\"card top\">\n<h2>{}</h2>\n<table>\n<thead><tr><th scope=\"col\">Word</th><th scope=\"col\">{}"
      "</th><th scope=\"col\" class=\"number\">Times</th><th scope=\"col\">In reviews predicted {}</th>"
      "</tr></thead>\n<tbody>\n",
      top_words_title(report), kTopWordsColumn, escaped(positive_name(report)));
  for (const TopWord& word : report.top_words) {
    html += fmt::format(
        "<tr><th scope=\"row\"><span class=\"clip\">{}</span></th><td>{}<span class=\"figure\">{}</span></td><td "
        "class=\"number\">{}</td>"
        "<td>{}<span class=\"figure\">{:.0f}%</span></td></tr>\n",
        escaped(word.text), bar(top_word_bar(report, word), "heat"), times_even_share(word), grouped(word.count),
        bar(word.positive_rate, ""), 100 * word.positive_rate);
  }
  return html + fmt::format("</tbody>\n</table>\n<p class=\"note\">{}</p>\n</section>\n", kTopWordsNote);
}

}  // namespace

void write_html(const std::string& path, const ExplanationReport& report) {
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\">\n<title>{0}</title>\n<style>:root{{{1}}}\n"
      "@media(prefers-color-scheme:dark){{:root{{{2}}}}}{3}</style>\n</head>\n<body>\n<header>\n<h1>{0}</h1>\n"
      "<p class=\"model\">{4}</p>\n<ul class=\"legend\">\n<li>{5}</li>\n"
      "<li>an even share<span class=\"scale\"></span>most attended word of its review</li>\n"
      "<li><span class=\"unknown\">word</span> {6}</li>\n</ul>\n</header>\n<main>\n<div class=\"reviews\">\n",
      kTitle, colours(kLight, kLightColours), colours(kDark, kDarkColours), kPageStyle, escaped(report.model),
      summary(report), kUnknownNote);
  for (const Explanation& review : report.reviews) html += review_html(review);
  html += "</div>\n";
  if (!report.top_words.empty()) html += top_words_html(report);
  write_atomically(path, {html, "</main>\n</body>\n</html>\n"});
}

}  // namespace attn::classifier
