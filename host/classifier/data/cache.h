// SPDX-License-Identifier: Apache-2.0
//
// Encoded corpora on disk, so that a later run need not read and tokenise the texts again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "classifier/data/encoded.h"

namespace attn::classifier {

struct CacheReport {
  bool hit = false;     // whether the corpus came from the cache
  std::string problem;  // why the cache could not be written, which is not an error; "" if it was
};

// load_corpus and encode_corpus with a cache file in `cache_folder`, which is created if missing (empty: no cache). The
// key consists of the path, the options, the sizes and modification times of the files, V and the tokenizer's rules. A
// cache that is stale, damaged or made from something else is replaced. `report` may be null.
EncodedCorpus load_encoded(const std::string& path, std::int32_t V, const std::string& cache_folder,
                           CacheReport* report = nullptr, const ReadOptions& options = {});

// The corpus that a cache file holds; empty if the file is missing, damaged, or made for another key or size V.
std::optional<EncodedCorpus> load_cache(const std::string& path, const std::string& key, std::int32_t V);

}  // namespace attn::classifier
