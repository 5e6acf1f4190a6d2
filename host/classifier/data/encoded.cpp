// SPDX-License-Identifier: Apache-2.0
#include "classifier/data/encoded.h"

#include <algorithm>
#include <exception>
#include <string>
#include <unordered_map>
#include <utility>

#include "classifier/data/tokenizer.h"
#include "classifier/failure.h"

namespace attn::classifier {
namespace {

using Counts = std::unordered_map<std::string, std::int64_t>;

// Calls body(i) for i in 0..n-1 on all cores. An exception must not leave a parallel region, so one is kept and
// rethrown.
template <class Body>
void for_each_parallel(std::int64_t n, const Body& body) {
  std::exception_ptr error;
#pragma omp parallel for schedule(dynamic, 1)
  for (std::int64_t i = 0; i < n; ++i) {
    try {
      body(i);
    } catch (...) {
#pragma omp critical(attn_for_each_parallel)
      error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
}

// N reviews are divided evenly among tasks, whose number does not depend on the number of threads.
constexpr std::int64_t kTasks = 64;
std::int64_t first_of_task(std::int64_t task, std::size_t N) { return task * static_cast<std::int64_t>(N) / kTasks; }

Counts count_words(const std::vector<Review>& reviews) {
  Counts total;
  for_each_parallel(kTasks, [&](std::int64_t task) {
    Counts counts;
    for (std::int64_t i = first_of_task(task, reviews.size()); i < first_of_task(task + 1, reviews.size()); ++i)
      for (const Token& token : tokenize(reviews[static_cast<std::size_t>(i)].text)) ++counts[token.word];
#pragma omp critical(attn_count_words)
    for (const auto& [word, count] : counts) total[word] += count;
  });
  return total;
}

constexpr std::int64_t kStepOfT = 32;

}  // namespace

Batch::Batch(std::int64_t reviews, std::int64_t width, void* memory) : B(reviews), T(width) {
  ids = static_cast<std::int32_t*>(memory);
  lengths = ids + B * T;
  labels = reinterpret_cast<float*>(lengths + B);
}

std::size_t Batch::bytes(std::int64_t B, std::int64_t T) {
  return static_cast<std::size_t>(element_count("batch", {B, T + 2})) * sizeof(std::int32_t);
}

Batch make_batch(const EncodedReviews& reviews, const std::vector<std::int64_t>& which, std::int64_t T, Padding padding,
                 void* memory) {
  require_size("T", T, 1);
  const auto length_of = [&](std::int64_t i) {
    if (i < 0 || i >= reviews.size())
      reject("which", "a review in 0.." + std::to_string(reviews.size() - 1), std::to_string(i));
    const auto review = static_cast<std::size_t>(i);
    return std::min(T, reviews.offsets[review + 1] - reviews.offsets[review]);
  };
  std::int64_t longest = 0;
  for (const std::int64_t i : which) longest = std::max(longest, length_of(i));
  const std::int64_t width =
      padding == Padding::kFront ? T : std::min(T, (longest + kStepOfT - 1) / kStepOfT * kStepOfT);
  const Batch batch(static_cast<std::int64_t>(which.size()), width, memory);
  std::fill_n(batch.ids, batch.B * width, kPadding);
  for (std::int64_t b = 0; b < batch.B; ++b) {
    const auto review = static_cast<std::size_t>(which[static_cast<std::size_t>(b)]);
    const std::int64_t length = length_of(which[static_cast<std::size_t>(b)]);
    const auto last = reviews.ids.begin() + reviews.offsets[review + 1];
    std::int32_t* const row = batch.ids + b * width;
    std::copy(last - length, last, padding == Padding::kFront ? row + (width - length) : row);
    batch.lengths[b] = static_cast<std::int32_t>(length);
    batch.labels[b] = static_cast<float>(reviews.labels[review]);
  }
  return batch;
}

EncodedReviews encode(const std::vector<Review>& reviews, const Vocabulary& vocabulary) {
  std::vector<std::vector<std::int32_t>> ids(reviews.size());  // ids[i] of reviews[i]
  for_each_parallel(kTasks, [&](std::int64_t task) {
    for (std::int64_t i = first_of_task(task, reviews.size()); i < first_of_task(task + 1, reviews.size()); ++i) {
      const std::vector<Token> tokens = tokenize(reviews[static_cast<std::size_t>(i)].text);
      std::vector<std::int32_t>& out = ids[static_cast<std::size_t>(i)];
      out.reserve(tokens.size() + 1);
      out.push_back(kStart);
      for (const Token& token : tokens) out.push_back(vocabulary.id(token.word));
    }
  });
  EncodedReviews result;
  result.offsets = {0};
  for (const std::vector<std::int32_t>& review : ids) {
    result.ids.insert(result.ids.end(), review.begin(), review.end());
    result.offsets.push_back(static_cast<std::int64_t>(result.ids.size()));
  }
  for (const Review& review : reviews) result.labels.push_back(review.label);
  return result;
}

EncodedCorpus encode_corpus(const Corpus& corpus, std::int32_t V) {
  const Vocabulary vocabulary = Vocabulary::from_counts(count_words(corpus.train), V);
  return {corpus.label_names, vocabulary.words(), V, encode(corpus.train, vocabulary), encode(corpus.test, vocabulary),
          corpus.skipped};
}

}  // namespace attn::classifier
