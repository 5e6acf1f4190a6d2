// SPDX-License-Identifier: Apache-2.0
//
// Every opinion has one word of praise and one of blame; it asserts one and denies the other ("brilliant and not
// dull"). Exchanging the two reverses the opinion and leaves its words the same, so that word counts do not determine
// the label. The author's opinions follow the label; the opinions of others and the adjectives of the plot are random.
//
// Words that are uninformative by themselves give an untrained model no gradient, except near the end of the text,
// which the recurrence weights differently. Most reviews therefore close with an opinion that asserts first. From these
// the rest is learnt within a few epochs; without them it is not learnt.
#include "classifier/data/generator.h"

#include <string>
#include <string_view>
#include <utility>

#include "classifier/data/tokenizer.h"
#include "classifier/random.h"

namespace attn::classifier {
namespace {

using Words = std::vector<std::string_view>;

const Words kPraise = {"brilliant", "gripping", "moving", "superb", "charming", "witty"};
const Words kBlame = {"dull", "clumsy", "lifeless", "tedious", "predictable", "shallow"};

// Placeholders in the patterns below: "+" is the word asserted, "-" the word denied, "*" the person whose opinion it
// is, and "$" a neutral noun.
const Words kClosings = {
    "* found it + and not -.",
    "* thought it was + rather than -.",
    "* would call it + instead of -.",
};
const Words kOpinions = {
    "* found it + and not -.",
    "* thought it was + rather than -.",
    "* would call it + instead of -.",
    "* found it never -, always +.",
    "* felt that it was not - at all but +.",
    "* thought it was hardly -, more like +.",
};
const Words kPlot = {
    "The poster promises something + and nothing -.",
    "A + $ meets a - $ along the way.",
    "The + $ turns on the - $.",
};
const Words kOthers = {"my brother",  "my wife",          "everyone else",
                       "the critics", "a friend of mine", "the man behind us"};
const Words kNouns = {"teacher", "captain", "sailor",  "lawyer",  "widow",  "thief", "doctor",
                      "painter", "soldier", "farmer",  "village", "letter", "house", "train",
                      "river",   "garden",  "harbour", "city",    "winter", "clock"};
const Words kNeutral = {
    "The story begins with a $ and a $.",
    "We follow the $ from the first scene to the last.",
    "Half of it was shot near the $, the rest in a studio.",
    "There is a long scene with the $ and one with the $.",
    "It runs for about two hours.",
    "The music comes in whenever the $ is on the screen.",
    "Then the $ disappears and nobody asks about the $.",
    "It was made after a novel about a $.",
    "The director had worked on a film about a $ before.",
    "In the second part the $ returns to the $.",
    "I saw it on a Friday evening with the whole family.",
    "The camera stays on the $ for most of the time.",
    "Later on we learn where the $ came from.",
    "The $ is played by somebody new.",
};

template <class List>
auto pick(const List& list, Random& random) {
  return list[random.below(list.size())];
}

std::int64_t between(std::int64_t first, std::int64_t last, Random& random) {
  return first + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(last - first + 1)));
}

struct Sentence {
  std::string text;
  bool decisive;
};

Sentence fill(std::string_view pattern, std::string_view speaker, bool praised, bool decisive, Random& random) {
  const std::string_view praise = pick(kPraise, random), blame = pick(kBlame, random);
  std::string text;
  for (const char c : pattern) {
    if (c == '+')
      text += praised ? praise : blame;
    else if (c == '-')
      text += praised ? blame : praise;
    else if (c == '*')
      text += speaker;
    else if (c == '$')
      text += pick(kNouns, random);
    else
      text += c;
  }
  if (text.front() >= 'a') text.front() = static_cast<char>(text.front() - 'a' + 'A');
  return {text, decisive};
}

struct Generated {
  std::string text;
  std::vector<bool> decisive;  // [tokens]

  void add(const Sentence& sentence) {
    if (!text.empty()) text += ' ';
    text += sentence.text;
    decisive.insert(decisive.end(), tokenize(sentence.text).size(), sentence.decisive);
  }
};

Generated generate(bool positive, Random& random) {
  const bool closes = random.below(4) != 0;
  std::vector<Sentence> sentences;
  for (std::int64_t left = between(1, 3, random) - (closes ? 1 : 0); left > 0; --left)
    sentences.push_back(fill(pick(kOpinions, random), "I", positive, true, random));
  for (std::int64_t left = between(1, 3, random); left > 0; --left) {
    const std::string_view pattern = pick(random.below(3) == 0 ? kPlot : kOpinions, random);
    sentences.push_back(fill(pattern, pick(kOthers, random), random.below(2) == 0, false, random));
  }
  // With at most ten of them and the start id, the longest text has no more than the default T = 200 ids.
  Words neutral = kNeutral;
  random.shuffle(neutral);
  neutral.resize(static_cast<std::size_t>(between(3, 10, random)));
  for (const std::string_view pattern : neutral) sentences.push_back(fill(pattern, "", true, false, random));
  random.shuffle(sentences);
  if (closes) sentences.push_back(fill(pick(kClosings, random), "I", positive, true, random));

  Generated review;
  for (const Sentence& sentence : sentences) review.add(sentence);
  return review;
}

}  // namespace

GeneratedCorpus generate_reviews(std::int64_t train, std::int64_t test, std::uint64_t seed) {
  Random random(seed);
  GeneratedCorpus result;
  result.corpus.label_names = {"neg", "pos"};
  const auto add = [&](std::vector<Review>& part, const std::string& name, std::int64_t i) {
    const auto label = static_cast<std::int32_t>(i % 2);
    Generated review = generate(label == 1, random);
    part.push_back({std::move(review.text), label, "generated " + name + " review " + std::to_string(i + 1)});
    return std::move(review.decisive);
  };
  for (std::int64_t i = 0; i < train; ++i) add(result.corpus.train, "training", i);
  for (std::int64_t i = 0; i < test; ++i) result.test_decisive.push_back(add(result.corpus.test, "test", i));
  return result;
}

}  // namespace attn::classifier
