// SPDX-License-Identifier: Apache-2.0
#include "classifier/commands/attend.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "classifier/data/tokenizer.h"
#include "classifier/train/evaluate.h"

namespace attn::classifier {
namespace {

constexpr std::int64_t kBatch = 32;

// A word as written in the text, with adjacent punctuation, so that the shaded text is readable.
std::string with_punctuation(const std::string& text, const Token& token) {
  std::size_t begin = token.begin, end = token.end;
  const auto is_one_of = [](std::string_view marks, char c) { return marks.find(c) != std::string_view::npos; };
  while (begin > 0 && is_one_of("(\"'", text[begin - 1])) --begin;
  while (end < text.size() && is_one_of(".,;:!?)\"'", text[end])) ++end;
  return text.substr(begin, end - begin);
}

// Assigns the weights [T] of one row of a batch to the words of its review.
Explanation explanation_of(const Review& review, const LoadedModel& loaded, double logit, const float* weights,
                           std::int64_t T, std::int64_t length, bool labelled) {
  const std::vector<Token> tokens = tokenize(review.text);
  const auto ids = static_cast<std::int64_t>(tokens.size()) + 1;  // including the start id
  const std::int64_t first = loaded.file.model.padding() == Padding::kFront ? T - length : 0;

  Explanation explanation;
  explanation.title = review.origin;
  explanation.words_cut = static_cast<std::size_t>(std::max<std::int64_t>(ids - length - 1, 0));
  const bool positive = logit > 0;
  explanation.prediction = loaded.file.label_names[positive ? 1 : 0];
  if (labelled) explanation.label = loaded.file.label_names[static_cast<std::size_t>(review.label)];
  explanation.probability = 1 / (1 + std::exp(-std::abs(logit)));
  for (std::size_t j = explanation.words_cut; j < tokens.size(); ++j) {
    const std::int64_t position = first + static_cast<std::int64_t>(j) + 1 - (ids - length);
    explanation.words.push_back({with_punctuation(review.text, tokens[j]), static_cast<double>(weights[position]),
                                 loaded.vocabulary.id(tokens[j].word) != kUnknown});
  }
  return explanation;
}

}  // namespace

LoadedModel::LoadedModel(const Handle& handle, const std::string& path, std::int64_t batch)
    : file(load_model(path)),
      vocabulary(file.words, file.model.V),
      model(handle, file.model, batch, file.training.storage) {
  model.parameters().load(file.tensors, path);
  file.tensors.clear();
}

std::vector<Explanation> attend(LoadedModel& loaded, const std::vector<Review>& reviews, bool labelled) {
  std::vector<Explanation> explanations;
  const EncodedReviews encoded = encode(reviews, loaded.vocabulary);
  for_each_batch(loaded.model, encoded, kBatch, [&](const Batch& batch, std::int64_t first) {
    const std::vector<float> logits = loaded.model.logits();
    const std::vector<float> weights = loaded.model.weights();
    for (std::int64_t b = 0; b < batch.B; ++b) {
      const auto row = static_cast<std::size_t>(b);
      explanations.push_back(explanation_of(reviews[static_cast<std::size_t>(first + b)], loaded,
                                            static_cast<double>(logits[row]), weights.data() + b * batch.T, batch.T,
                                            batch.lengths[row], labelled));
    }
    return true;
  });
  return explanations;
}

MarkedShare marked_share(const std::vector<Explanation>& explanations, const std::vector<std::vector<bool>>& marked) {
  double attention_marked = 0, attention = 0, tokens_marked = 0, tokens = 0;
  for (std::size_t i = 0; i < explanations.size(); ++i) {
    const Explanation& explanation = explanations[i];
    for (std::size_t j = 0; j < explanation.words.size(); ++j) {
      const double weight = explanation.words[j].weight;
      attention += weight;
      tokens += 1;
      if (!marked[i][explanation.words_cut + j]) continue;
      attention_marked += weight;
      tokens_marked += 1;
    }
  }
  return {attention > 0 ? attention_marked / attention : 0, tokens > 0 ? tokens_marked / tokens : 0};
}

}  // namespace attn::classifier
