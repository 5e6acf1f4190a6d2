// SPDX-License-Identifier: Apache-2.0
#include "classifier/data/tokenizer.h"

#include <gtest/gtest.h>

#include <random>

#include "classifier/failure.h"

namespace attn::classifier {
namespace {

using Words = std::vector<std::string>;

Words words(std::string_view text) {
  Words result;
  for (Token& token : tokenize(text)) result.push_back(std::move(token.word));
  return result;
}

TEST(Tokenizer, LowersAndSeparates) {
  EXPECT_EQ(words("The BEST film-noir of 1947, really (9/10)!"),
            (Words{"the", "best", "film", "noir", "of", "1947", "really", "9", "10"}));
  EXPECT_EQ(words(""), Words{});
  EXPECT_EQ(words(" ... -- !? "), Words{});
}

TEST(Tokenizer, KeepsInnerApostrophesAlone) {
  EXPECT_EQ(words("don't 'tis the boys' 'quoted' rock'n'roll a''b"),
            (Words{"don't", "tis", "the", "boys", "quoted", "rock'n'roll", "a", "b"}));
  EXPECT_EQ(words("don\u2019t don\u00B4t don`t"), (Words{"don't", "don't", "don't"}));
}

TEST(Tokenizer, TagsSeparateAndAreNoWords) {
  EXPECT_EQ(words("end<br /><br />New <i>word</i><BR>x<a href=\"u v\">link</a>"),
            (Words{"end", "new", "word", "x", "link"}));
}

TEST(Tokenizer, WhatOnlyLooksLikeATagIsText) {
  EXPECT_EQ(words("I <3 it"), (Words{"i", "3", "it"}));
  EXPECT_EQ(words("a < b > c"), (Words{"a", "b", "c"}));
  EXPECT_EQ(words("<spoilers: he dies> yes"), (Words{"spoilers", "he", "dies", "yes"}));
  EXPECT_EQ(words("x <br"), (Words{"x", "br"}));
  EXPECT_EQ(words("a <b <i> c"), (Words{"a", "b", "c"}));
  EXPECT_EQ(words("<></>"), Words{});
}

TEST(Tokenizer, KnowsLettersBeyondAscii) {
  EXPECT_EQ(words("\u00C9TUDE na\u00EFve \u0141\u00D3D\u0179"),
            (Words{"\u00E9tude", "na\u00EFve", "\u0142\u00F3d\u017A"}));
  EXPECT_EQ(words("\u041C\u043E\u0441\u043A\u0432\u0430 \u0394\u0395"),
            (Words{"\u043C\u043E\u0441\u043A\u0432\u0430", "\u03B4\u03B5"}));
  EXPECT_EQ(words("one\u2014two\u00A0three\u2026four\u0096five"), (Words{"one", "two", "three", "four", "five"}));
  EXPECT_EQ(words("cafe\u0301!"), Words{"caf\u00E9"});
}

// Unicode Standard Annex 29: marks and joiners do not end a word.
TEST(Tokenizer, MarksAndJoinersStayInsideWords) {
  const std::string hindi = "\u0939\u093F\u0928\u094D\u0926\u0940", persian = "\u0645\u06CC\u200C\u062E\u0648";
  EXPECT_EQ(words(hindi + " " + persian + "\u200C."), (Words{hindi, persian}));
  EXPECT_EQ(words("co\u00ADoperate\u00AD, a\u2060b"), (Words{"cooperate", "a\u2060b"}));
  EXPECT_EQ(words("\u0301 \u200D x"), Words{"x"});
  EXPECT_EQ(words("A\u030Angstrom \u00C5ngstrom"), (Words{"\u00E5ngstrom", "\u00E5ngstrom"}));
}

TEST(Tokenizer, BytesSpanTheWord) {
  const std::string text = "<br />\u00C9t\u00E9, don\u2019t' X";
  const std::vector<Token> tokens = tokenize(text);
  ASSERT_EQ(tokens.size(), 3u);
  Words spans;
  for (const Token& token : tokens) spans.push_back(text.substr(token.begin, token.end - token.begin));
  EXPECT_EQ(spans, (Words{"\u00C9t\u00E9", "don\u2019t", "X"}));
}

TEST(Tokenizer, BytesThatAreNotUtf8Separate) {
  EXPECT_EQ(words("a\xFF"
                  "b\xC3"),
            (Words{"a", "b"}));
  EXPECT_EQ(words(std::string_view("a\0b", 3)), (Words{"a", "b"}));
}

TEST(Tokenizer, AnyBytesGiveOrderedSpansOfWords) {
  std::mt19937 random(7);
  const std::string alphabet = "ab'<>/ =\xC3\xA9\xE2\x80\x99\xFF";
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::size_t length = random() % 40; length > 0; --length) text += alphabet[random() % alphabet.size()];
    std::size_t last = 0;
    for (const Token& token : tokenize(text)) {
      ASSERT_LE(last, token.begin) << text;
      ASSERT_LT(token.begin, token.end) << text;
      ASSERT_LE(token.end, text.size()) << text;
      ASSERT_EQ(words(token.word), Words{token.word}) << text;
      last = token.end;
    }
  }
}

TEST(RequireUtf8, NamesLineByteAndOffset) {
  EXPECT_NO_THROW(require_utf8("fine \u00E9\n\U0001F600", "x"));
  try {
    require_utf8("one\ntwo\nthr\xE9\x65", "file.txt");
    FAIL() << "accepted Latin-1";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), ATTN_INVALID_ARGUMENT);
    EXPECT_STREQ(failure.what(), "file.txt:3: expected UTF-8 text, got byte 0xE9 at offset 11");
  }
  EXPECT_THROW(require_utf8("\xED\xA0\x80", "surrogate"), Failure);
  EXPECT_THROW(require_utf8("\xC0\xAF", "overlong"), Failure);
  EXPECT_THROW(require_utf8("cut \xE2\x80", "cut"), Failure);
}

}  // namespace
}  // namespace attn::classifier
