// SPDX-License-Identifier: Apache-2.0
//
// Maps words to ids, as in the Keras IMDB data: 0 padding, 1 start, 2 unknown, and from 4 on the words by decreasing
// training frequency (3 is not used). Words whose id would reach the vocabulary size are unknown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace attn::classifier {

constexpr std::int32_t kPadding = 0;
constexpr std::int32_t kStart = 1;
constexpr std::int32_t kUnknown = 2;
constexpr std::int32_t kFirstWord = 4;

class Vocabulary {
 public:
  // `words` are sorted by decreasing frequency; those after the first V - kFirstWord are dropped. V >= kFirstWord is
  // the number of ids.
  Vocabulary(std::vector<std::string> words, std::int32_t V);

  // Sorts the words by their counts, words of equal count alphabetically.
  static Vocabulary from_counts(const std::unordered_map<std::string, std::int64_t>& counts, std::int32_t V);

  std::int32_t id(std::string_view word) const;    // kUnknown for a word that it does not contain
  const std::string& word(std::int32_t id) const;  // "<padding>", "<start>", "<unknown>" for those ids
  std::int32_t size() const { return size_; }      // V
  const std::vector<std::string>& words() const { return words_; }

 private:
  std::vector<std::string> words_;  // words_[i] has id i + kFirstWord
  std::unordered_map<std::string, std::int32_t> ids_;
  std::int32_t size_;
};

// Converts words to the text of a file, one per line, and back. Words contain no white space. Throws Failure for a word that
// is not UTF-8 or that occurs twice.
std::string to_lines(const std::vector<std::string>& words);
std::vector<std::string> from_lines(std::string_view text);

}  // namespace attn::classifier
