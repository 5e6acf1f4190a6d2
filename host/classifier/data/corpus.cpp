// SPDX-License-Identifier: Apache-2.0
#include "classifier/data/corpus.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

#include "classifier/data/source.h"
#include "classifier/data/tokenizer.h"
#include "classifier/failure.h"

namespace attn::classifier {
namespace {

namespace fs = std::filesystem;

constexpr const char* kReadable =
    "a .tsv, .csv or .jsonl file (plain or .gz), or a folder, zip archive or tar archive (plain, gz, xz) that holds "
    "LABEL/*.txt, or train.tsv, train.csv or train.jsonl, or one such table";

// The part that the name of a table says.
std::string part_of(const std::string& table) { return part_named(fs::path(without_gz(table)).stem().string()); }

// Those of the tables of a folder or archive that are called after a part, such as train.tsv and Test.csv, of one format.
std::vector<std::string> tables_of_parts(const std::vector<std::string>& tables) {
  for (const char* wanted : {".tsv", ".csv", ".jsonl"}) {
    std::vector<std::string> files;
    std::copy_if(tables.begin(), tables.end(), std::back_inserter(files),
                 [&](const std::string& file) { return extension(file) == wanted && !part_of(file).empty(); });
    if (!files.empty()) return files;
  }
  return {};
}

FolderFiles list_tables(const std::string& folder) {
  FolderFiles tables;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!is_table(name)) continue;
    if (is_hidden(name))
      ++tables.hidden;
    else
      tables.files.push_back(entry.path().string());
  }
  return tables;
}

FolderFiles list_files(const std::string& path) {
  if (!fs::exists(path)) reject(path, kReadable, "no such file or folder");
  if (!fs::is_directory(path)) {
    if (!fs::is_regular_file(path)) reject(path, kReadable, "a device, pipe or socket");
    return {{path}};
  }
  const FolderFiles tables = list_tables(path);
  FolderFiles chosen = {tables_of_parts(tables.files), 0};
  if (chosen.files.empty()) chosen = list_texts(path);
  chosen.hidden += tables.hidden;
  if (chosen.files.empty() && tables.files.size() == 1) chosen.files = tables.files;
  if (chosen.files.empty()) reject(path, kReadable, "a folder without them");
  std::sort(chosen.files.begin(), chosen.files.end());
  return chosen;
}

// The files of a folder or archive are in any order, and two copies of a corpus hold each text twice.
std::vector<Sample> sorted_by_origin(const std::string& path, std::vector<Sample> samples) {
  std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) { return a.origin < b.origin; });
  const auto same = [](const Sample& a, const Sample& b) { return a.origin == b.origin; };
  const auto twice = std::adjacent_find(samples.begin(), samples.end(), same);
  if (twice != samples.end()) reject(path, "each text once", twice->origin + " twice");
  return samples;
}

void add_table(std::vector<Sample>& samples, const Table& table, const ReadOptions& options) {
  std::vector<Sample> more = read_table(table, options);
  std::move(more.begin(), more.end(), std::back_inserter(samples));
}

std::string name_of(const std::string& file) { return fs::path(file).filename().string(); }

std::vector<Sample> from_archive(const std::string& path, ArchiveContents contents, const ReadOptions& options) {
  std::vector<std::string> tables;
  for (const auto& table : contents.tables) tables.push_back(table.first);
  const std::vector<std::string> of_parts = tables_of_parts(tables);
  if (of_parts.empty() && !contents.texts.empty()) return sorted_by_origin(path, std::move(contents.texts));
  if (of_parts.empty() && tables.size() != 1) reject(path, kReadable, "an archive without them");
  std::vector<Sample> samples;
  std::set<std::string> names;
  for (const std::string& file : of_parts.empty() ? tables : of_parts) {
    if (!names.insert(name_of(file)).second) reject(path, "each table once", name_of(file) + " twice");
    add_table(samples, {name_of(file), path + ": " + file, part_of(file), std::move(contents.tables.at(file))},
              options);
  }
  return samples;
}

std::vector<Sample> from_files(const std::string& path, const std::vector<std::string>& files,
                               const ReadOptions& options) {
  std::vector<Sample> samples;
  if (is_table(files.front())) {
    for (const std::string& file : files)
      add_table(samples, {name_of(file), file, file == path ? "" : part_of(file), read_content(file, options)},
                options);
    return samples;
  }
  for (const std::string& file : files) samples.push_back(read_text(path, file, options));
  return sorted_by_origin(path, std::move(samples));
}

struct Samples {
  std::vector<Sample> samples;
  std::int64_t hidden = 0;
};

Samples read_samples(const std::string& path, const ReadOptions& options) {
  const FolderFiles listed = list_files(path);
  Samples read;
  read.hidden = listed.hidden;
  if (fs::is_directory(path) || is_table(path)) {
    read.samples = from_files(path, listed.files, options);
  } else {
    ArchiveContents contents = read_archive(path, options);
    read.hidden = contents.hidden;
    read.samples = from_archive(path, std::move(contents), options);
  }
  for (const Sample& sample : read.samples)
    if (static_cast<std::int64_t>(sample.text.size()) > options.text_limit)
      reject(path + " (" + sample.origin + ")",
             "at most " + std::to_string(options.text_limit) + " bytes (see --text-limit)",
             std::to_string(sample.text.size()));
  return read;
}

// Removes the texts that consist of white space and returns their number.
std::int64_t skip_empty(std::vector<Sample>& samples) {
  const auto empty = [](const Sample& sample) { return is_blank(sample.text); };
  const auto end = std::remove_if(samples.begin(), samples.end(), empty);
  const auto count = static_cast<std::int64_t>(samples.end() - end);
  samples.erase(end, samples.end());
  return count;
}

bool has_test(const std::vector<Sample>& samples) {
  return std::any_of(samples.begin(), samples.end(), [](const Sample& sample) { return sample.part == "test"; });
}

// If there are train/ and test/, texts in other folders are not part of the data.
void keep_parts(std::vector<Sample>& samples) {
  const auto has_part = [](const Sample& sample) { return !sample.part.empty(); };
  if (std::none_of(samples.begin(), samples.end(), has_part)) return;
  samples.erase(std::stable_partition(samples.begin(), samples.end(), has_part), samples.end());
  // The validation part takes the place of a test part that is missing.
  const auto is_valid = [](const Sample& sample) { return sample.part == "valid"; };
  if (has_test(samples))
    samples.erase(std::remove_if(samples.begin(), samples.end(), is_valid), samples.end());
  else
    for (Sample& sample : samples)
      if (is_valid(sample)) sample.part = "test";
}

// The two labels of the training part, sorted by name.
std::vector<std::string> find_labels(const std::string& path, const std::vector<Sample>& samples) {
  std::vector<std::string> labels;
  for (const Sample& sample : samples) {
    if (sample.part == "test" || std::find(labels.begin(), labels.end(), sample.label) != labels.end()) continue;
    if (labels.size() == 2)
      reject(path + " (" + sample.origin + ")", "two labels, \"" + labels[0] + "\" and \"" + labels[1] + "\"",
             "\"" + sample.label + "\"");
    labels.push_back(sample.label);
  }
  if (labels.size() < 2)
    reject(path, "training texts of two labels", labels.empty() ? "none" : "\"" + labels[0] + "\" alone");
  std::sort(labels.begin(), labels.end());
  return labels;
}

std::int32_t label_of(const std::string& path, const Sample& sample, const std::vector<std::string>& label_names,
                      const char* expected) {
  const auto found = std::find(label_names.begin(), label_names.end(), sample.label);
  if (found == label_names.end()) reject(path + " (" + sample.origin + ")", expected, "\"" + sample.label + "\"");
  return static_cast<std::int32_t>(found - label_names.begin());
}

Corpus assemble(const std::string& path, Samples read) {
  std::vector<Sample>& samples = read.samples;
  keep_parts(samples);
  Corpus corpus;
  corpus.skipped = {skip_empty(samples), read.hidden};
  corpus.label_names = find_labels(path, samples);
  const bool split = !has_test(samples);
  std::array<std::int64_t, 2> seen = {0, 0};  // the number of texts of each label
  for (Sample& sample : samples) {
    const std::int32_t label = label_of(path, sample, corpus.label_names, "a label of the training part");
    const bool fifth = ++seen[static_cast<std::size_t>(label)] % 5 == 0;
    const bool test = split ? fifth : sample.part == "test";
    (test ? corpus.test : corpus.train).push_back({std::move(sample.text), label, std::move(sample.origin)});
  }
  if (corpus.test.empty()) reject(path, "a test part, or at least five texts of a label", "fewer");
  return corpus;
}

Reviews all_to_test(const std::string& path, Samples read, const std::vector<std::string>& label_names) {
  std::vector<Sample>& samples = read.samples;
  keep_parts(samples);
  Reviews result;
  result.skipped = {skip_empty(samples), read.hidden};
  const bool all = !has_test(samples);
  const std::string known = "\"" + label_names[0] + "\" or \"" + label_names[1] + "\", the labels of the model";
  for (Sample& sample : samples)
    if (all || sample.part == "test") {
      const std::int32_t label = label_of(path, sample, label_names, known.c_str());
      result.reviews.push_back({std::move(sample.text), label, std::move(sample.origin)});
    }
  if (result.reviews.empty()) reject(path, "texts to test with", "none");
  return result;
}

// Reports errors of the file system like any other invalid input: the user can repair them.
template <class Body>
auto with_failures(const std::string& path, const Body& body) {
  try {
    return body();
  } catch (const fs::filesystem_error& error) {
    reject(error.path1().empty() ? path : error.path1().string(), "a readable file or folder", error.code().message());
  }
}

}  // namespace

std::string part_named(std::string_view name) {
  const std::string known = lower(std::string(name));
  if (known == "train" || known == "training") return "train";
  if (known == "valid" || known == "validation" || known == "val" || known == "dev") return "valid";
  return known == "test" ? "test" : "";
}

std::vector<std::string> corpus_files(const std::string& path) {
  return with_failures(path, [&] { return list_files(path).files; });
}

Reviews load_to_test(const std::string& path, const std::vector<std::string>& label_names, const ReadOptions& options) {
  return with_failures(path, [&] { return all_to_test(path, read_samples(path, options), label_names); });
}

bool ReadOptions::operator==(const ReadOptions& other) const {
  const auto all = [](const ReadOptions& o) {
    return std::tie(o.text_column, o.label_column, o.separator, o.encoding, o.text_limit, o.total_limit);
  };
  return all(*this) == all(other);
}

void require_valid(const ReadOptions& options) {
  require_size("text limit", options.text_limit, 1);
  require_size("total limit", options.total_limit, 1);
  if (options.separator.size() > 1) reject("separator", "one character, or tab", options.separator);
  if (options.separator == "\"" || options.separator == "\n" || options.separator == "\r")
    reject("separator", "no quote or line end", "one");
  for (const char* known : {"utf-8", "latin-1", "utf-16"})
    if (options.encoding == known) return;
  reject("encoding", "utf-8, latin-1 or utf-16", options.encoding);
}

Corpus load_corpus(const std::string& path, const ReadOptions& options) {
  return with_failures(path, [&] { return assemble(path, read_samples(path, options)); });
}

}  // namespace attn::classifier
