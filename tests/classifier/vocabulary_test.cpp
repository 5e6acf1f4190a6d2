// SPDX-License-Identifier: Apache-2.0
#include "classifier/data/vocabulary.h"

#include <gtest/gtest.h>

#include "classifier/failure.h"

namespace attn::classifier {
namespace {

const std::unordered_map<std::string, std::int64_t> kCounts = {
    {"the", 9}, {"film", 4}, {"b", 4}, {"zebra", 4}, {"once", 1}};

TEST(Vocabulary, OrdersByCountThenAlphabet) {
  const Vocabulary vocabulary = Vocabulary::from_counts(kCounts, 100);
  EXPECT_EQ(vocabulary.words(), (std::vector<std::string>{"the", "b", "film", "zebra", "once"}));
  EXPECT_EQ(vocabulary.size(), 100);
}

TEST(Vocabulary, IdsBeginAtFourAndRoundTrip) {
  const Vocabulary vocabulary = Vocabulary::from_counts(kCounts, 100);
  EXPECT_EQ(vocabulary.id("the"), 4);
  for (const auto& [word, count] : kCounts) EXPECT_EQ(vocabulary.word(vocabulary.id(word)), word);
}

TEST(Vocabulary, WordsWhoseIdWouldReachTheSizeAreUnknown) {
  const Vocabulary vocabulary = Vocabulary::from_counts(kCounts, 7);
  EXPECT_EQ(vocabulary.id("film"), 6);
  EXPECT_EQ(vocabulary.id("zebra"), kUnknown);
  EXPECT_EQ(vocabulary.id("never seen"), kUnknown);
  EXPECT_EQ(vocabulary.words().size(), 3u);
  EXPECT_EQ(Vocabulary::from_counts(kCounts, kFirstWord).id("the"), kUnknown);
}

TEST(Vocabulary, NamesTheIdsThatAreNoWords) {
  const Vocabulary vocabulary = Vocabulary::from_counts(kCounts, 7);
  EXPECT_EQ(vocabulary.word(kPadding), "<padding>");
  EXPECT_EQ(vocabulary.word(kStart), "<start>");
  for (const std::int32_t id : {kUnknown, 3, 7, -1, INT32_MAX, INT32_MIN})
    EXPECT_EQ(vocabulary.word(id), "<unknown>") << id;
}

TEST(Vocabulary, WordsGoThroughAFileLineByLine) {
  const std::vector<std::string> words = {"the", "caf\u00e9", "it's"};
  EXPECT_EQ(to_lines(words), "the\ncaf\u00e9\nit's\n");
  EXPECT_EQ(from_lines(to_lines(words)), words);
  EXPECT_EQ(from_lines(to_lines({})), std::vector<std::string>());
  EXPECT_EQ(from_lines("cut\nshort"), (std::vector<std::string>{"cut", "short"}));
}

TEST(Vocabulary, RefusesATooSmallSizeAndAWordTwice) {
  EXPECT_THROW(Vocabulary({}, kFirstWord - 1), Failure);
  EXPECT_THROW(Vocabulary({"a", "b", "a"}, 100), Failure);
}

}  // namespace
}  // namespace attn::classifier
