// SPDX-License-Identifier: Apache-2.0
//
// Reviews as token ids, and the batches that the model takes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "classifier/data/corpus.h"
#include "classifier/data/vocabulary.h"

namespace attn::classifier {

// The concatenated ids of whole reviews, each beginning with kStart.
struct EncodedReviews {
  std::vector<std::int32_t> ids;      // [offsets[N]]
  std::vector<std::int64_t> offsets;  // [N + 1]
  std::vector<std::int32_t> labels;   // [N]

  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
};

struct EncodedCorpus {
  std::vector<std::string> label_names;
  std::vector<std::string> words;  // of the vocabulary; words[i] has the id kFirstWord + i
  std::int32_t V;
  EncodedReviews train, test;
  Skipped skipped{};
};

// Where padding is put. Both keep the last T ids of a longer review. kFront, the article's choice, puts zeros before
// the ids. kEnd, for masked models, puts zeros after them.
enum class Padding { kFront, kEnd };

// A batch in one block of host or device memory, which it does not own.
struct Batch {
  std::int64_t B = 0, T = 0;
  std::int32_t* ids = nullptr;      // [B, T]
  std::int32_t* lengths = nullptr;  // [B], the number of ids kept
  float* labels = nullptr;          // [B]

  Batch() = default;
  // Lays out a batch [reviews, width] in `memory` of bytes(reviews, width).
  Batch(std::int64_t reviews, std::int64_t width, void* memory);
  static std::size_t bytes(std::int64_t B, std::int64_t T);
};

// Writes the reviews with the indices `which`, in that order, truncated and padded to T, into `memory` of
// Batch::bytes(which.size(), T). With kEnd, they are padded only to the longest of them, rounded up to a multiple of
// 32, to skip padding with few different widths: a model needs a plan for each.
Batch make_batch(const EncodedReviews& reviews, const std::vector<std::int64_t>& which, std::int64_t T, Padding padding,
                 void* memory);

// Tokenises the reviews and looks up the ids, on all cores.
EncodedReviews encode(const std::vector<Review>& reviews, const Vocabulary& vocabulary);

// Builds a vocabulary of size V from corpus.train and encodes both parts with it, on all cores.
EncodedCorpus encode_corpus(const Corpus& corpus, std::int32_t V);

}  // namespace attn::classifier
