// SPDX-License-Identifier: Apache-2.0
//
// Reviews as ids, and batches of them as the model takes them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "classifier/data/corpus.h"
#include "classifier/data/vocabulary.h"

namespace attn::classifier {

// Whole reviews one behind the other, each with kStart in front.
struct EncodedReviews {
  std::vector<std::int32_t> ids;      // [offsets.back()]
  std::vector<std::int64_t> offsets;  // [N + 1]
  std::vector<std::int32_t> labels;   // [N]

  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
};

struct EncodedCorpus {
  std::vector<std::string> label_names;
  std::vector<std::string> words;  // of the vocabulary, by id from kFirstWord on
  std::int32_t V;
  EncodedReviews train, test;
};

// Where padding and cuts go. kFront is the article's: zeros in front, the last T ids kept. kEnd is for masked models:
// the last T ids kept, zeros behind, lengths given.
enum class Padding { kFront, kEnd };

// One block of memory that somebody else owns, of the host or of a device.
struct Batch {
  std::int64_t B = 0, T = 0;
  std::int32_t* ids = nullptr;      // [B, T]
  std::int32_t* lengths = nullptr;  // [B], of the ids kept
  float* labels = nullptr;          // [B]

  Batch() = default;
  Batch(std::int64_t reviews, std::int64_t width, void* memory);  // [B, T] in bytes(B, T)
  static std::size_t bytes(std::int64_t B, std::int64_t T);
};

// Reviews `which` in that order, cut and padded to T; with kEnd only to the longest of them, rounded up to a multiple of
// 32 (a model makes plans per T, so these are to be few), so that padding is skipped. `memory` has
// Batch::bytes(which.size(), T).
Batch make_batch(const EncodedReviews& reviews, const std::vector<std::int64_t>& which, std::int64_t T, Padding padding,
                 void* memory);

EncodedReviews encode(const std::vector<Review>& reviews, const Vocabulary& vocabulary);

// Vocabulary from corpus.train, both parts encoded; uses all cores.
EncodedCorpus encode_corpus(const Corpus& corpus, std::int32_t V);

struct CacheReport {
  bool hit = false;     // nothing was tokenized
  std::string problem;  // why the cache could not be written, which is no reason to stop; "" where it was
};

// load_corpus and encode_corpus through a cache file in `cache_folder` (made if missing; empty: no cache). The key is the
// path, the sizes and modification times of what is read, V and the tokenizer; a stale, foreign or damaged cache is remade,
// never trusted. `report` may be null.
EncodedCorpus load_encoded(const std::string& path, std::int32_t V, const std::string& cache_folder,
                           CacheReport* report = nullptr);

}  // namespace attn::classifier
