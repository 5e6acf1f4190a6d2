// SPDX-License-Identifier: Apache-2.0
#include "classifier/train/initial_weights.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "classifier/data/vocabulary.h"

namespace attn::classifier {
namespace {

bool is_matrix_of_floats(const Tensor& tensor) { return tensor.dtype == "F32" && tensor.shape.size() == 2; }

// The rows of ids below kFirstWord have the same meaning in every vocabulary.
std::int64_t copy_rows(const InitialWeights& from, const std::vector<std::string>& words, const Tensor& source,
                       Tensor& embedding) {
  const std::size_t row = static_cast<std::size_t>(embedding.shape[1]) * sizeof(float);
  const auto rows = [&](const Tensor& tensor) { return static_cast<std::size_t>(tensor.shape[0]); };
  const auto copy = [&](std::size_t to, std::size_t of) {
    if (to < rows(embedding) && of < rows(source))
      std::memcpy(embedding.data.data() + to * row, source.data.data() + of * row, row);
  };
  for (std::size_t id = 0; id < kFirstWord; ++id) copy(id, id);
  std::unordered_map<std::string, std::size_t> ids;
  for (std::size_t i = 0; i < from.words.size(); ++i) ids.emplace(from.words[i], i + kFirstWord);
  std::int64_t kept = 0;
  for (std::size_t i = 0; i < words.size(); ++i)
    if (const auto found = ids.find(words[i]); found != ids.end()) {
      copy(i + kFirstWord, found->second);
      ++kept;
    }
  return kept;
}

void negate(Tensor& tensor, const std::string& name) {
  std::vector<float> values = tensor.values<float>(name);
  for (float& value : values) value = -value;
  tensor = Tensor::of(values, tensor.shape);
}

}  // namespace

TransferReport transfer(const InitialWeights& from, const std::vector<std::string>& words,
                        const std::vector<std::string>& label_names, std::map<std::string, Tensor>& tensors) {
  TransferReport report{static_cast<std::int64_t>(words.size()), TransferReport::kKept};
  if (!from.label_names.empty() && from.label_names != label_names)
    report.output =
        std::equal(from.label_names.rbegin(), from.label_names.rend(), label_names.begin(), label_names.end())
            ? TransferReport::kSwapped
            : TransferReport::kNew;
  for (auto entry = tensors.begin(); entry != tensors.end();) {
    const std::string& name = entry->first;
    Tensor& tensor = entry->second;
    const bool is_output = name == "dense.w" || name == "dense.b";
    const auto found = from.tensors.find(name);
    if (found == from.tensors.end()) {
      entry = tensors.erase(entry);
      continue;
    }
    ++entry;
    if (is_output && report.output == TransferReport::kNew) continue;
    const Tensor& source = found->second;
    const bool by_word =
        name == "embedding" && !from.words.empty() && is_matrix_of_floats(source) && source.shape[1] == tensor.shape[1];
    if (by_word)
      report.words = copy_rows(from, words, source, tensor);
    else
      tensor = source;
    if (is_output && report.output == TransferReport::kSwapped) negate(tensor, name);
  }
  return report;
}

}  // namespace attn::classifier
