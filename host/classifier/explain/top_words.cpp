// SPDX-License-Identifier: Apache-2.0
#include <glib.h>

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

#include "classifier/explain/explanation.h"
#include "classifier/explain/shade.h"
#include "classifier/explain/wording.h"

namespace attn::classifier {
namespace {

// The word in lower case without surrounding punctuation, unless it consists of punctuation only.
std::string normalised(const std::string& word) {
  const std::string text = printable(word);
  const char* begin = text.c_str();
  const char* end = begin + text.size();
  const auto is_letter = [](const char* at) {
    return g_unichar_isalnum(g_utf8_get_char(at)) || g_unichar_ismark(g_utf8_get_char(at));
  };
  while (begin < end && !is_letter(begin)) begin = g_utf8_next_char(begin);
  while (begin < end && !is_letter(g_utf8_prev_char(end))) end = g_utf8_prev_char(end);
  if (begin == end) std::tie(begin, end) = std::make_tuple(text.c_str(), text.c_str() + text.size());
  const std::unique_ptr<char, void (*)(void*)> lower(g_utf8_strdown(begin, end - begin), g_free);
  return lower.get();
}

struct Tally {
  double weight = 0;    // summed over the occurrences
  double relative = 0;  // the same, each divided by an even share of its review's attention
  std::size_t count = 0, positive = 0;
};

}  // namespace

std::vector<TopWord> top_words(const std::vector<Explanation>& reviews, const std::string& positive_label,
                               std::size_t least_count, std::size_t how_many) {
  std::map<std::string, Tally> tallies;
  for (const Explanation& review : reviews) {
    const double even = shade_of(review).even;
    if (!(even > 0)) continue;  // also where the weights are not numbers
    for (const WeightedWord& word : review.words) {
      // All unknown words are the same id to the model, so their weight says nothing about this word.
      if (!word.known) continue;
      Tally& tally = tallies[normalised(word.text)];
      tally.weight += word.weight;
      tally.relative += word.weight / even;
      tally.count += 1;
      tally.positive += review.prediction == positive_label ? 1 : 0;
    }
  }

  std::vector<std::tuple<double, TopWord>> ranked;  // the key is minus the mean relative weight
  for (const auto& [text, tally] : tallies) {
    if (tally.count < least_count) continue;
    const auto count = static_cast<double>(tally.count);
    ranked.push_back({-tally.relative / count,
                      {text, tally.weight / count, tally.relative / count, tally.count,
                       static_cast<double>(tally.positive) / count}});
  }
  // Stable, so that words of equal weight keep the alphabetical order of the map.
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return std::get<0>(a) < std::get<0>(b); });
  ranked.resize(std::min(how_many, ranked.size()));
  std::vector<TopWord> result;
  for (auto& [rank, word] : ranked) result.push_back(std::move(word));
  return result;
}

}  // namespace attn::classifier
