// SPDX-License-Identifier: Apache-2.0
#include "classifier/data/generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "classifier/data/tokenizer.h"

namespace attn::classifier {
namespace {

constexpr std::int64_t kTrain = 3000, kTest = 1000;

const GeneratedCorpus& generated() {
  static const GeneratedCorpus corpus = generate_reviews(kTrain, kTest, 1);
  return corpus;
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> result;
  for (Token& token : tokenize(text)) result.push_back(std::move(token.word));
  return result;
}

using Features = std::map<std::string, double>;

Features word_counts(const Review& review) {
  Features features;
  for (const std::string& word : words(review.text)) ++features[word];
  return features;
}

// The counts of all sequences of `length` words. This is a bag as well, but its features capture the word order within
// them.
Features run_counts(const Review& review, std::size_t length) {
  const std::vector<std::string> all = words(review.text);
  Features features;
  for (std::size_t i = 0; i + length <= all.size(); ++i) {
    std::string run;
    for (std::size_t j = i; j < i + length; ++j) run += all[j] + ' ';
    ++features[run];
  }
  return features;
}

// The test accuracy of a logistic regression on these features.
double regression_accuracy(const Corpus& corpus, const std::function<Features(const Review&)>& features) {
  std::map<std::string, double> weights;
  const auto score = [&](const Features& x) {
    double sum = 0;
    for (const auto& [name, value] : x) sum += weights[name] * value;
    return sum;
  };
  std::vector<Features> train;
  for (const Review& review : corpus.train) train.push_back(features(review));
  for (int epoch = 0; epoch < 15; ++epoch) {
    for (std::size_t i = 0; i < train.size(); ++i) {
      const double error = corpus.train[i].label - 1 / (1 + std::exp(-score(train[i])));
      for (const auto& [name, value] : train[i]) weights[name] += 0.05 / (1 + epoch) * error * value;
    }
  }
  double right = 0;
  for (const Review& review : corpus.test) right += (score(features(review)) > 0) == (review.label == 1);
  return right / static_cast<double>(corpus.test.size());
}

TEST(Generator, GivesWhatWasAskedFor) {
  const Corpus& corpus = generated().corpus;
  EXPECT_EQ(corpus.label_names, (std::vector<std::string>{"neg", "pos"}));
  ASSERT_EQ(corpus.train.size(), std::size_t{kTrain});
  ASSERT_EQ(corpus.test.size(), std::size_t{kTest});
  std::int64_t positive = 0;
  for (const Review& review : corpus.train) positive += review.label;
  EXPECT_EQ(positive, kTrain / 2);
  const GeneratedCorpus none = generate_reviews(0, 0, 1);
  EXPECT_TRUE(none.corpus.train.empty() && none.corpus.test.empty() && none.test_decisive.empty());
}

TEST(Generator, SameSeedSameTexts) {
  const GeneratedCorpus again = generate_reviews(50, 20, 1), other = generate_reviews(50, 20, 2);
  const GeneratedCorpus first = generate_reviews(50, 20, 1);
  std::size_t different = 0;
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(again.corpus.train[i].text, first.corpus.train[i].text);
    different += other.corpus.train[i].text != first.corpus.train[i].text;
  }
  EXPECT_EQ(again.test_decisive, first.test_decisive);
  EXPECT_GT(different, 45u);
}

TEST(Generator, TextsAreDistinctAndFitTheDefaultLength) {
  std::set<std::string> texts;
  std::size_t shortest = SIZE_MAX, longest = 0;
  for (const std::vector<Review>* part : {&generated().corpus.train, &generated().corpus.test}) {
    for (const Review& review : *part) {
      EXPECT_TRUE(texts.insert(review.text).second) << review.text;
      const std::size_t count = words(review.text).size();
      shortest = std::min(shortest, count);
      longest = std::max(longest, count);
    }
  }
  EXPECT_GE(shortest, 30u);
  EXPECT_LT(shortest, 60u);
  EXPECT_GT(longest, 140u);
  EXPECT_LE(longest, 199u);
}

// The z-score of the difference between the classes' counts. The reviews contribute independently, so a value above 5
// cannot be chance.
TEST(Generator, EveryWordIsAsFrequentInBothClasses) {
  struct Difference {
    double sum = 0, squares = 0;
  };
  std::map<std::string, Difference> differences;
  const GeneratedCorpus corpus = generate_reviews(6000, 0, 3);
  for (std::size_t i = 0; i + 1 < corpus.corpus.train.size(); i += 2) {
    Features both = word_counts(corpus.corpus.train[i + 1]);
    for (const auto& [word, count] : word_counts(corpus.corpus.train[i])) both[word] -= count;
    for (const auto& [word, difference] : both) {
      differences[word].sum += difference;
      differences[word].squares += difference * difference;
    }
  }
  EXPECT_GT(differences.size(), 100u);
  for (const auto& [word, difference] : differences)
    EXPECT_LE(std::abs(difference.sum), 5 * std::sqrt(difference.squares)) << word;
}

TEST(Generator, CountsOfWordsDoNotTellTheLabelButTheirOrderDoes) {
  const Corpus& corpus = generated().corpus;
  const double bag = regression_accuracy(corpus, word_counts);
  const double runs = regression_accuracy(corpus, [](const Review& review) { return run_counts(review, 4); });
  RecordProperty("bag_of_words_accuracy", std::to_string(bag));
  RecordProperty("runs_of_four_accuracy", std::to_string(runs));
  EXPECT_LT(bag, 0.56);
  EXPECT_GT(runs, 0.8);
}

// Reviews that consist only of the marked tokens, or only of all others: 2000 for training and 1000 for testing.
Corpus only(bool decisive) {
  const GeneratedCorpus all = generate_reviews(0, 3000, 4);
  Corpus kept;
  for (std::size_t i = 0; i < all.corpus.test.size(); ++i) {
    const std::vector<std::string> text = words(all.corpus.test[i].text);
    Review review = {"", all.corpus.test[i].label, ""};
    for (std::size_t j = 0; j < text.size(); ++j)
      if (all.test_decisive[i][j] == decisive) review.text += text[j] + ' ';
    (i < 2000 ? kept.train : kept.test).push_back(review);
  }
  return kept;
}

TEST(Generator, TheMarkedTokensTellTheLabelAndNoOthersDo) {
  const auto runs = [](const Review& review) { return run_counts(review, 4); };
  EXPECT_GT(regression_accuracy(only(true), runs), 0.9);
  EXPECT_LT(regression_accuracy(only(false), runs), 0.56);
}

TEST(Generator, MarksTheAuthorsOpinions) {
  const GeneratedCorpus& all = generated();
  ASSERT_EQ(all.test_decisive.size(), all.corpus.test.size());
  double decisive = 0, tokens = 0;
  for (std::size_t i = 0; i < all.corpus.test.size(); ++i) {
    const std::vector<std::string> text = words(all.corpus.test[i].text);
    const std::vector<bool>& marks = all.test_decisive[i];
    ASSERT_EQ(marks.size(), text.size());
    std::int64_t phrases = 0;
    for (std::size_t j = 0; j < text.size(); ++j) {
      const bool begins = marks[j] && (j == 0 || !marks[j - 1] || text[j] == "i");
      phrases += begins;
      EXPECT_TRUE(!begins || text[j] == "i") << all.corpus.test[i].text;
      decisive += marks[j];
      ++tokens;
    }
    EXPECT_GE(phrases, 1) << all.corpus.test[i].text;
    EXPECT_LE(phrases, 3) << all.corpus.test[i].text;
  }
  EXPECT_GT(decisive / tokens, 0.05);
  EXPECT_LT(decisive / tokens, 0.3);
}

}  // namespace
}  // namespace attn::classifier
