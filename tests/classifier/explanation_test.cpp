// SPDX-License-Identifier: Apache-2.0
#include "classifier/explain/explanation.h"

#include <cairo.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <memory>

#include "classifier/explain/shade.h"
#include "classifier/explain/wording.h"
#include "classifier/failure.h"
#include "temporary_folder.h"

namespace attn::classifier {
namespace {

constexpr const char* kReplacement = "\xEF\xBF\xBD";

// A review of 40 words, of which one receives 30 percent of the attention and one 15; a tenth falls on the padding.
Explanation review() {
  Explanation result{"test/pos/7_10.txt", "pos", "pos", 0.973, {}, 34};
  for (int i = 0; i < 40; ++i) result.words.push_back({"word" + std::to_string(i), 0.45 / 38, i % 7 != 0});
  result.words[11] = {"superb,", 0.30, true};
  result.words[25] = {"moving", 0.15, true};
  return result;
}

ExplanationReport report_of(std::vector<Explanation> reviews) {
  return {"a model", {"neg", "pos"}, std::move(reviews), {}, 0};
}

// A report with texts that an input file may contain and with numbers that a broken model may produce.
ExplanationReport hostile() {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  ExplanationReport report = report_of({review()});
  report.model = "<b>&\"'\x1b[31m\xFF";
  report.label_names = {"<neg>", "<pos>"};
  report.reviews.push_back({"no words", "", "neg", 0.5, {}, 0});
  report.reviews.push_back({"zeros", "a\nb", "neg", 0.5, {{"a", 0, true}, {"b", 0, false}}, 1});
  report.reviews.push_back({"no numbers", "", "neg", nan, {{"a", nan, true}, {"b", 1, true}}, 0});
  Explanation texts{"<script>alert(1)</script>", "\"quoted\"", "<i>&amp;", 0.8, {}, 0};
  const std::string wide = "\xE6\xBC\xA2\xE5\xAD\x97";                   // two Chinese characters
  const std::string right_to_left = "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D";  // Hebrew
  const std::string combining = "e\xCC\x81t\xC3\xA9";
  for (const std::string& text : {std::string("<script>alert('x')</script>"), std::string("\"&amp;\""), std::string(),
                                  std::string(500, 'x'), wide, right_to_left, combining, std::string("\xC3"),
                                  std::string("\x1b[2Jclear\r\n\t"), std::string("nul\0l", 5)}) {
    texts.words.push_back({text, 0.05, true});
    texts.words.push_back({text + wide + wide + wide + wide + wide + wide + wide, 0.08, false});
  }
  report.reviews.push_back(texts);
  report.top_words = {{"<td>", 0.2, 3, 12345, 0.25}, {wide, 0.1, 2, 1, 1}, {"zero", 0, 0, 1, 0}};
  report.reviews_counted = 25000;
  return report;
}

std::string html_of(const ExplanationReport& report) {
  TemporaryFolder folder;
  write_html(folder / "page.html", report);
  EXPECT_EQ(folder.file_count(), 1u);
  return read_file(folder / "page.html");
}

void expect_no_markup(std::string text) {
  for (const char* entity : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}) {
    for (std::size_t at; (at = text.find(entity)) != std::string::npos;) text.erase(at, std::string(entity).size());
  }
  EXPECT_EQ(text.find_first_of("<>&"), std::string::npos) << text;
}

// The name of a tag, all of whose attributes must read NAME="VALUE".
std::string name_of(const std::string& tag) {
  const std::size_t end = tag.find_first_of(" >");
  for (std::size_t at = end; tag[at] != '>';) {
    const std::size_t equals = tag.find("=\"", at), close = tag.find('"', equals + 2);
    EXPECT_EQ(tag[at], ' ') << tag;
    EXPECT_EQ(tag.find_first_not_of("abcdefghijklmnopqrstuvwxyz-", at + 1), equals) << tag;
    if (tag[at] != ' ' || close == std::string::npos) break;
    expect_no_markup(tag.substr(equals + 2, close - equals - 2));
    at = close + 1;
  }
  return tag.substr(1, end - 1);
}

// Expects that every tag is closed by its own name in the right order, and that the text contains no bare & or >.
// Returns the text between the tags.
std::string text_of_well_formed(const std::string& html) {
  std::string text;
  std::vector<std::string> open;
  std::size_t begin = std::string("<!DOCTYPE html>").size(), end = begin;
  EXPECT_EQ(html.compare(0, begin, "<!DOCTYPE html>"), 0);
  while ((begin = html.find('<', end)) != std::string::npos) {
    const std::string between = html.substr(end, begin - end);
    if (open.empty() || open.back() != "style") expect_no_markup(between);
    text += between;
    end = html.find('>', begin) + 1;
    const std::string name = name_of(html.substr(begin, end - begin));
    if (name[0] != '/') {
      if (name != "meta") open.push_back(name);
    } else if (!open.empty() && name == '/' + open.back()) {
      open.pop_back();
    } else {
      ADD_FAILURE() << name << " closes " << (open.empty() ? "nothing" : open.back());
      return text;
    }
  }
  EXPECT_TRUE(open.empty()) << open.back();
  EXPECT_EQ(html.substr(end), "\n");
  return text;
}

struct Picture {
  int width, height;
  std::size_t full_colour;  // the number of pixels in the colour of the strongest word
};

Picture picture_of(const ExplanationReport& report) {
  TemporaryFolder folder;
  const std::string path = folder / "picture.png";
  write_png(path, report);
  EXPECT_EQ(folder.file_count(), 1u);
  EXPECT_EQ(read_file(path).substr(0, 8), "\x89PNG\r\n\x1a\n");
  const std::unique_ptr<cairo_surface_t, void (*)(cairo_surface_t*)> surface(
      cairo_image_surface_create_from_png(path.c_str()), cairo_surface_destroy);
  EXPECT_EQ(cairo_surface_status(surface.get()), CAIRO_STATUS_SUCCESS);
  Picture picture{cairo_image_surface_get_width(surface.get()), cairo_image_surface_get_height(surface.get()), 0};
  const std::uint32_t heat =
      static_cast<std::uint32_t>(kLight.heat.red << 16 | kLight.heat.green << 8 | kLight.heat.blue);
  for (int y = 0; y < picture.height; ++y) {
    const auto* row = reinterpret_cast<const std::uint32_t*>(cairo_image_surface_get_data(surface.get()) +
                                                             y * cairo_image_surface_get_stride(surface.get()));
    for (int x = 0; x < picture.width; ++x) picture.full_colour += (row[x] & 0xFFFFFF) == heat ? 1 : 0;
  }
  return picture;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::string without_escapes(std::string text) {
  for (std::size_t at; (at = text.find("\x1b[")) != std::string::npos;) {
    text.erase(at, text.find_first_not_of("0123456789;", at + 2) + 1 - at);
  }
  return text;
}

// The number of terminal columns that a line takes, for the characters used in these tests.
int columns_of(const std::string& line) {
  int columns = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    if ((byte & 0xC0) == 0x80) continue;
    const bool chinese = byte == 0xE6 || byte == 0xE5;
    const bool combining = line.compare(i, 2, "\xCC\x81") == 0;
    columns += chinese ? 2 : combining ? 0 : 1;
  }
  return columns;
}

double contrast(Rgb a, Rgb b) {
  const double light = std::max(luminance(a), luminance(b)), dark = std::min(luminance(a), luminance(b));
  return (light + 0.05) / (dark + 0.05);
}

TEST(Shade, BeginsAtTheEvenShareAndIsFullAtTheStrongestWord) {
  const Shade shade = shade_of(review());
  EXPECT_NEAR(shade.even, 0.9 / 40, 1e-12);
  EXPECT_EQ(shade.strength(0.9 / 41), 0);
  EXPECT_EQ(shade.strength(0.30), 1);
  EXPECT_NEAR(shade.strength((0.30 + 0.9 / 40) / 2), 0.5, 1e-12);
}

TEST(Shade, FlatAttentionLooksFlat) {
  Explanation flat = review();
  for (std::size_t i = 0; i < flat.words.size(); ++i) flat.words[i].weight = i % 2 == 0 ? 0.024 : 0.026;
  EXPECT_NEAR(shade_of(flat).strength(0.026), 0.04, 1e-9);
  for (WeightedWord& word : flat.words) word.weight = 0;
  EXPECT_EQ(shade_of(flat).strength(0), 0);
  EXPECT_EQ(shade_of({}).strength(0), 0);
  EXPECT_EQ(shade_of(review()).strength(std::numeric_limits<double>::quiet_NaN()), 0);
}

TEST(Shade, LettersKeepTheirContrast) {
  EXPECT_NEAR(contrast({0, 0, 0}, {255, 255, 255}), 21, 1e-9);
  for (const Scheme& scheme : {kLight, kDark}) {
    for (int i = 0; i <= 100; ++i) {
      EXPECT_GE(contrast(scheme.ink, mix(scheme.paper, scheme.heat, i / 100.0)), 4.5) << i;
    }
  }
}

TEST(Html, IsWellFormedWhateverItShows) {
  text_of_well_formed(html_of(report_of({})));
  text_of_well_formed(html_of(report_of({review()})));
  const std::string text = text_of_well_formed(html_of(hostile()));
  EXPECT_NE(text.find("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"), std::string::npos);
  EXPECT_NE(text.find("&quot;&amp;amp;&quot;"), std::string::npos);
  EXPECT_NE(text.find("25,000 reviews"), std::string::npos);
  EXPECT_NE(text.find("12,345"), std::string::npos);
  EXPECT_NE(text.find(kReplacement), std::string::npos);
}

TEST(Html, NeedsNothingFromElsewhere) {
  const std::string html = html_of(hostile());
  for (const char* outside : {"://", "src=", "href=", "url(", "@import", "<script", "<link"}) {
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  }
}

TEST(Html, ShowsWeightsLabelsAndWhatWasNotRead) {
  Explanation wrong = review();
  wrong.label = "neg";
  const std::string html = html_of(report_of({review(), wrong}));
  EXPECT_NE(html.find("--s:1.000\" title=\"30.00% of the attention\">superb,<"), std::string::npos);
  EXPECT_NE(html.find("<span class=\"unknown\" title=\"1.18% of the attention; not in the vocabulary"),
            std::string::npos);
  EXPECT_NE(html.find("<span title=\"1.18% of the attention\">word1<"), std::string::npos);
  for (const char* text : {"97.3%", "34 earlier words not read", "right: the label is pos", "wrong: the label is neg",
                           "2 reviews, 1 of 2 right", "an even share, and is full at 30.0%", "Padding got 10.0%"}) {
    EXPECT_NE(html.find(text), std::string::npos) << text;
  }
}

TEST(Files, FailuresNameThePath) {
  TemporaryFolder folder;
  const std::string path = folder / "no such folder/file";
  for (const auto write : {write_html, write_png}) {
    try {
      write(path, report_of({review()}));
      ADD_FAILURE() << "no failure";
    } catch (const Failure& failure) {
      EXPECT_NE(std::string(failure.what()).find(path), std::string::npos) << failure.what();
    }
  }
}

TEST(Png, GrowsWithItsReviews) {
  const Picture none = picture_of(report_of({}));
  const Picture one = picture_of(report_of({review()}));
  const Picture two = picture_of(report_of({review(), review()}));
  EXPECT_EQ(none.width, 2000);
  EXPECT_EQ(one.width, none.width);
  EXPECT_GT(one.height, none.height + 200);
  EXPECT_NEAR(two.height - one.height, one.height - none.height, 2);
}

TEST(Png, StrongWordsHaveTheFullColour) {
  Explanation flat = review();
  for (WeightedWord& word : flat.words) word.weight = 0.02;
  const Picture without = picture_of(report_of({flat}));
  const Picture with = picture_of(report_of({review()}));
  EXPECT_GT(with.full_colour, without.full_colour + 2000);  // a box of at least 100 by 40 pixels, except its letters
}

TEST(Png, DrawsWhateverItIsGiven) {
  EXPECT_GT(picture_of(hostile()).height, 1000);
  Explanation enormous{"long", "pos", "pos", 0.9, {}, 0};
  for (int i = 0; i < 11000; ++i) enormous.words.push_back({"word", i % 500 == 0 ? 0.01 : 0.0001, true});
  EXPECT_LE(picture_of(report_of({enormous})).height, 32767);
}

TEST(Png, LeavesWhatWouldBeTooTallToThePage) {
  const Picture many = picture_of(report_of(std::vector<Explanation>(60, review())));
  EXPECT_EQ(many.height, picture_of(report_of(std::vector<Explanation>(90, review()))).height);
  EXPECT_EQ(many.width, 2000);  // the picture is not scaled down to fit
  EXPECT_GT(many.height, 10 * picture_of(report_of({review()})).height);
}

TEST(Terminal, LinesKeepToTheWidthAndEscapesEndOnThem) {
  for (const Explanation& shown : hostile().reviews) {
    for (const int width : {10, 21, 33, 80, 200}) {
      for (const bool colour : {false, true}) {
        for (const std::string& line : lines_of(to_terminal(shown, colour, width))) {
          EXPECT_LE(columns_of(without_escapes(line)), width) << line;
          EXPECT_EQ(without_escapes(line).find('\x1b'), std::string::npos) << line;
          const std::size_t last = line.rfind('\x1b');
          EXPECT_TRUE(last == std::string::npos || (colour && line.compare(last, 4, "\x1b[0m") == 0)) << line;
        }
      }
    }
  }
}

TEST(Terminal, ShowsEveryWordInOrder) {
  std::string expected;
  for (const WeightedWord& word : review().words) expected += word.text + ' ';
  expected.pop_back();
  for (const int width : {10, 60, 1000}) {
    std::string shown = without_escapes(to_terminal(review(), true, width));
    std::replace(shown.begin(), shown.end(), '\n', ' ');
    EXPECT_NE(shown.find(expected), std::string::npos) << shown;
  }
}

TEST(Terminal, ShadesReadably) {
  const std::string text = to_terminal(review(), true, 80);
  EXPECT_NE(text.find("48;2;255;160;0msuperb,\x1b[0m"), std::string::npos) << text;
  EXPECT_NE(text.find(" word1 word2 "), std::string::npos) << text;
  Explanation many = review();
  for (std::size_t i = 0; i < many.words.size(); ++i) many.words[i].weight = 1e-3 * static_cast<double>(i);
  const std::string shaded = to_terminal(many, true, 80);
  std::size_t found = 0;
  for (std::size_t at = 0; (at = shaded.find("38;2;", at)) != std::string::npos; ++at, ++found) {
    Rgb ink, back;
    ASSERT_EQ(std::sscanf(&shaded[at], "38;2;%d;%d;%d;48;2;%d;%d;%dm", &ink.red, &ink.green, &ink.blue, &back.red,
                          &back.green, &back.blue),
              6);
    EXPECT_GE(contrast(ink, back), 4.5) << shaded.substr(at, 40);
  }
  EXPECT_GT(found, 15u);
}

TEST(Terminal, RanksWhereThereIsNoColour) {
  const std::string text = to_terminal(review(), false, 80);
  EXPECT_NE(text.find("superb,[1]"), std::string::npos) << text;
  EXPECT_NE(text.find("moving[2]"), std::string::npos) << text;
  EXPECT_EQ(text.find("[3]"), std::string::npos) << text;  // the other words are below an even share
  EXPECT_NE(text.find("30.0% of the attention"), std::string::npos) << text;
}

TEST(TopWords, AreRankedByAttentionRelativeToAnEvenShare) {
  // Half of the attention is unremarkable in a review of two words, but not in one of ten.
  Explanation two{"", "", "pos", 1, {{"Short", 0.5, true}, {"other", 0.46, true}}, 0};
  Explanation ten{"", "", "neg", 1, {{"(Long)", 0.45, true}, {"short", 0.04, true}}, 0};
  for (int i = 0; i < 8; ++i) ten.words.push_back({"filler", 0.05, true});
  ten.words[9] = {"strange", 0.12, false};  // an even share of the ten words' attention of 0.96 is 0.096
  const std::vector<TopWord> words = top_words({two, ten}, "pos", 1, 10);

  ASSERT_EQ(words.size(), 4u);  // the unknown word is excluded
  EXPECT_EQ(words[0].text, "long");
  EXPECT_NEAR(words[0].mean_weight, 0.45, 1e-12);
  EXPECT_NEAR(words[0].relative, 0.45 / 0.096, 1e-12);
  EXPECT_EQ(words[0].positive_rate, 0);
  EXPECT_EQ(words[1].text, "other");  // 0.96 of an even share, though more than 0.45
  EXPECT_NEAR(words[1].relative, 0.46 / 0.48, 1e-12);
  EXPECT_EQ(words[2].text, "short");
  EXPECT_NEAR(words[2].relative, (0.5 / 0.48 + 0.04 / 0.096) / 2, 1e-12);
  EXPECT_EQ(words[2].count, 2u);
  EXPECT_NEAR(words[2].mean_weight, 0.27, 1e-12);
  EXPECT_EQ(words[2].positive_rate, 0.5);
  EXPECT_EQ(words[3].text, "filler");

  // Bars begin at an even share. The first word's is full.
  ExplanationReport report{"", {}, {}, words, 2};
  EXPECT_EQ(top_word_bar(report, words[0]), 1);
  EXPECT_EQ(top_word_bar(report, words[1]), 0);
  report.top_words = {{"a", 0, 1.5, 1, 0}};
  EXPECT_EQ(top_word_bar(report, report.top_words[0]), 0.5);
}

TEST(TopWords, LeavesOutRareOnesAndKeepsToTheNumber) {
  const std::vector<Explanation> twice = {review(), review()};
  EXPECT_EQ(top_words(twice, "pos", 2, 3).size(), 3u);
  EXPECT_EQ(top_words(twice, "pos", 2, 3)[0].text, "superb");
  EXPECT_TRUE(top_words(twice, "pos", 3, 3).empty());
  EXPECT_TRUE(top_words({}, "pos", 1, 3).empty());
  // A word of punctuation alone is unchanged; letters of any script are converted to lower case.
  const Explanation others{"",
                           "",
                           "pos",
                           1,
                           {{"\xC3\x9C"
                             "ber",
                             0.9, true},
                            {"--", 0.1, true}},
                           0};
  const std::vector<TopWord> words = top_words({others}, "pos", 1, 9);
  ASSERT_EQ(words.size(), 2u);
  EXPECT_EQ(words[0].text,
            "\xC3\xBC"
            "ber");
  EXPECT_EQ(words[1].text, "--");
}

}  // namespace
}  // namespace attn::classifier
