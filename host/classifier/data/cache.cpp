// SPDX-License-Identifier: Apache-2.0
//
// A cache is a safetensors file with the encoded corpus and a key that identifies its sources.
#include "classifier/data/cache.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "classifier/checkpoint/checksum.h"
#include "classifier/checkpoint/safetensors.h"
#include "classifier/data/source.h"
#include "classifier/data/tokenizer.h"
#include "classifier/data/vocabulary.h"
#include "classifier/failure.h"

namespace attn::classifier {
namespace {

namespace fs = std::filesystem;

// Identifies an encoded corpus. Only V and the path determine the file name, so that a stale cache is overwritten.
struct Key {
  std::string file_name;
  std::string text;
};

void add_text(Checksum& sum, const std::string& text) { sum.add(text.c_str(), text.size() + 1); }

Key make_key(const std::string& path, std::int32_t V, const ReadOptions& options) {
  const std::string place = fs::weakly_canonical(path).string();
  Checksum name;
  add_text(name, place);
  add_text(name, std::to_string(V));
  Checksum files;
  for (const std::string& file : corpus_files(path)) {
    struct stat status {};
    if (stat(file.c_str(), &status) != 0) reject(file, "a readable file", std::strerror(errno));
    add_text(files, file);
    for (const std::int64_t value :
         {std::int64_t{status.st_size}, std::int64_t{status.st_mtim.tv_sec}, std::int64_t{status.st_mtim.tv_nsec}})
      files.add(&value, sizeof value);
  }
  const nlohmann::json key = {
      {"path", place},
      {"files", files.digits()},
      {"V", V},
      {"tokenizer", kTokenizerName},
      {"reader", kReaderName},
      {"options", {options.text_column, options.label_column, options.separator, options.encoding}}};
  return {"encoded-" + name.digits() + ".safetensors",
          key.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
}

template <class T>
void put(TensorFile& file, const std::string& name, const std::vector<T>& values) {
  file.tensors[name] = Tensor::of(values, {static_cast<std::int64_t>(values.size())});
}

template <class T>
std::vector<T> get(const TensorFile& file, const std::string& name) {
  return file.tensors.at(name).values<T>(name);
}

std::vector<std::string> words_of(const TensorFile& file) {
  const std::vector<std::uint8_t> text = get<std::uint8_t>(file, "words");
  return from_lines({reinterpret_cast<const char*>(text.data()), text.size()});
}

Skipped skipped_of(const TensorFile& file) {
  const auto counts = nlohmann::json::parse(file.metadata.at("skipped")).get<std::array<std::uint32_t, 2>>();
  return {counts[0], counts[1]};
}

void put_part(TensorFile& file, const std::string& part, const EncodedReviews& reviews) {
  put(file, part + ".ids", reviews.ids);
  put(file, part + ".offsets", reviews.offsets);
  put(file, part + ".labels", reviews.labels);
}

EncodedReviews get_part(const TensorFile& file, const std::string& part) {
  return {get<std::int32_t>(file, part + ".ids"), get<std::int64_t>(file, part + ".offsets"),
          get<std::int32_t>(file, part + ".labels")};
}

void save(const std::string& path, const std::string& key, const EncodedCorpus& corpus) {
  TensorFile file;
  file.metadata["key"] = key;
  file.metadata["label_names"] = nlohmann::json(corpus.label_names).dump();
  file.metadata["skipped"] = nlohmann::json({corpus.skipped.empty, corpus.skipped.hidden}).dump();
  const std::string words = to_lines(corpus.words);
  put(file, "words", std::vector<std::uint8_t>(words.begin(), words.end()));
  put_part(file, "train", corpus.train);
  put_part(file, "test", corpus.test);
  save_tensors(path, file, 0600);  // texts may be confidential
}

// Whether offsets, ids and labels are in range, since they are used as indices without further checks.
bool fits(const EncodedReviews& reviews, std::int32_t V) {
  const auto within = [](const std::vector<std::int32_t>& values, std::int32_t end) {
    return std::all_of(values.begin(), values.end(), [end](std::int32_t value) { return value >= 0 && value < end; });
  };
  const std::vector<std::int64_t>& offsets = reviews.offsets;
  return offsets.size() == reviews.labels.size() + 1 && offsets.front() == 0 &&
         std::is_sorted(offsets.begin(), offsets.end()) &&
         offsets.back() == static_cast<std::int64_t>(reviews.ids.size()) && within(reviews.ids, V) &&
         within(reviews.labels, 2);
}

}  // namespace

std::optional<EncodedCorpus> load_cache(const std::string& path, const std::string& key, std::int32_t V) try {
  const TensorFile file = load_tensors(path);
  if (file.metadata.at("key") != key) return std::nullopt;
  EncodedCorpus corpus = {nlohmann::json::parse(file.metadata.at("label_names")),
                          words_of(file),
                          V,
                          get_part(file, "train"),
                          get_part(file, "test"),
                          skipped_of(file)};
  if (corpus.label_names.size() != 2 || corpus.label_names[0] == corpus.label_names[1]) return std::nullopt;
  if (!fits(corpus.train, V) || !fits(corpus.test, V)) return std::nullopt;
  return corpus;
} catch (const std::exception&) {
  return std::nullopt;
}

EncodedCorpus load_encoded(const std::string& path, std::int32_t V, const std::string& cache_folder,
                           CacheReport* report, const ReadOptions& options) {
  CacheReport unwanted;
  CacheReport& result = report != nullptr ? *report : unwanted;
  result = {};
  if (cache_folder.empty()) return encode_corpus(load_corpus(path, options), V);
  const Key key =
      make_key(path, V, options);  // computed before reading, so that a change in between makes the cache stale
  const std::string file = (fs::path(cache_folder) / key.file_name).string();
  if (std::optional<EncodedCorpus> cached = load_cache(file, key.text, V)) {
    result.hit = true;
    return std::move(*cached);
  }
  EncodedCorpus corpus = encode_corpus(load_corpus(path, options), V);
  try {
    if (fs::create_directories(cache_folder)) fs::permissions(cache_folder, fs::perms::owner_all);
    save(file, key.text, corpus);
  } catch (const std::exception& error) {
    result.problem = error.what();
  }
  return corpus;
}

}  // namespace attn::classifier
