// SPDX-License-Identifier: Apache-2.0
#include "classifier/data/vocabulary.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "classifier/data/tokenizer.h"
#include "classifier/failure.h"

namespace attn::classifier {

Vocabulary::Vocabulary(std::vector<std::string> words, std::int32_t V) : words_(std::move(words)), size_(V) {
  require_size("V", V, kFirstWord);
  const auto most = static_cast<std::size_t>(V - kFirstWord);
  if (words_.size() > most) words_.resize(most);
  ids_.reserve(words_.size());
  for (std::size_t i = 0; i < words_.size(); ++i)
    if (!ids_.emplace(words_[i], static_cast<std::int32_t>(i) + kFirstWord).second)
      reject("words", "each word once", "\"" + words_[i] + "\" twice");
}

Vocabulary Vocabulary::from_counts(const std::unordered_map<std::string, std::int64_t>& counts, std::int32_t V) {
  using Entry = std::pair<std::string, std::int64_t>;
  std::vector<Entry> entries(counts.begin(), counts.end());
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  std::vector<std::string> words;
  words.reserve(entries.size());
  for (Entry& entry : entries) words.push_back(std::move(entry.first));
  return Vocabulary(std::move(words), V);
}

std::int32_t Vocabulary::id(std::string_view word) const {
  const auto found = ids_.find(std::string(word));
  return found == ids_.end() ? kUnknown : found->second;
}

const std::string& Vocabulary::word(std::int32_t id) const {
  static const std::string padding = "<padding>", start = "<start>", unknown = "<unknown>";
  if (id == kPadding) return padding;
  if (id == kStart) return start;
  const std::int64_t i = std::int64_t{id} - kFirstWord;
  return i >= 0 && i < static_cast<std::int64_t>(words_.size()) ? words_[static_cast<std::size_t>(i)] : unknown;
}

std::string to_lines(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += word + '\n';
  return text;
}

std::vector<std::string> from_lines(std::string_view text) {
  require_utf8(text, "vocabulary");
  std::vector<std::string> words;
  std::unordered_set<std::string_view> seen;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    words.emplace_back(text.substr(0, end));
    if (!seen.insert(text.substr(0, end)).second)
      reject("vocabulary", "each word once", "\"" + words.back() + "\" twice");
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return words;
}

}  // namespace attn::classifier
