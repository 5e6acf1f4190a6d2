// SPDX-License-Identifier: Apache-2.0
//
// Reads a folder of text files, and the same folder in a tar archive.
#include <filesystem>
#include <optional>
#include <unordered_map>
#include <utility>

#include "classifier/data/archive_reader.h"
#include "classifier/data/gzip_file.h"
#include "classifier/data/source.h"
#include "classifier/data/tokenizer.h"
#include "classifier/failure.h"

namespace attn::classifier {
namespace {

namespace fs = std::filesystem;

// Removes and returns the last component of `path`.
std::string_view take_last(std::string_view& path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view last = slash == std::string_view::npos ? path : path.substr(slash + 1);
  path = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  return last;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// The part, label and origin of a text file by its path, [.../][train/|valid/|test/]LABEL/NAME.txt; empty for any other
// file and for IMDB's unlabelled part. Folders and archives share this rule.
std::optional<Sample> classify(std::string_view file) {
  std::string_view rest = file;
  const std::string_view name = take_last(rest), label = take_last(rest), part = take_last(rest);
  if (!ends_with(name, ".txt")) return std::nullopt;
  if (label.empty() || label == "." || label == "unsup" || !part_named(label).empty()) return std::nullopt;
  Sample sample;
  sample.part = part_named(part);
  sample.label = label;
  sample.origin = (sample.part.empty() ? "" : sample.part + "/") + sample.label + "/" + std::string(name);
  return sample;
}

void set_file(Sample& sample, std::string content, const ReadOptions& options, const std::string& where) {
  require_utf8(sample.origin, "the name of " + where);
  sample.text = decoded(std::move(content), options.encoding, where);
}

}  // namespace

bool is_hidden(std::string_view path) {
  while (!path.empty()) {
    const std::string_view name = take_last(path);
    if ((name.size() > 1 && name.front() == '.' && name != "..") || name == "__MACOSX") return true;
  }
  return false;
}

std::string read_content(const std::string& path, const ReadOptions& options) {
  GzipFile file(path, options.total_limit);
  std::string content;
  for (std::size_t size = 0, got = 1; got > 0; content.resize(size += got)) {
    content.resize(size + (std::size_t{1} << 16) + size / 2);
    got = file.read(content.data() + size, content.size() - size);
  }
  return content;
}

std::string_view without_mark(std::string_view text) {
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) text.remove_prefix(kByteOrderMark.size());
  return text;
}

FolderFiles list_texts(const std::string& folder) {
  constexpr int kDeepest = 3;  // aclImdb/train/neg, if the folder that contains aclImdb is given
  FolderFiles texts;
  for (auto entry = fs::recursive_directory_iterator(folder, fs::directory_options::follow_directory_symlink);
       entry != fs::recursive_directory_iterator(); ++entry) {
    if (!entry->is_directory()) {
      const std::string& file = entry->path().native();
      const std::string_view inner = std::string_view(file).substr(folder.size());
      if (!classify(inner)) continue;
      if (is_hidden(inner))
        ++texts.hidden;
      else
        texts.files.push_back(file);
    } else if (entry.depth() >= kDeepest) {
      entry.disable_recursion_pending();
    }
  }
  return texts;
}

Sample read_text(const std::string& folder, const std::string& file, const ReadOptions& options) {
  Sample sample = classify(std::string_view(file).substr(folder.size())).value();
  set_file(sample, read_content(file, options), options, file);
  return sample;
}

ArchiveContents read_archive(const std::string& path, const ReadOptions& options) {
  ArchiveReader reader(path, options.total_limit);
  ArchiveContents contents;
  std::vector<Sample>& samples = contents.texts;
  std::unordered_map<std::string, std::size_t> places;  // in `samples`, by path in the archive
  std::vector<std::pair<ArchiveReader::Entry, Sample>> links;
  while (const std::optional<ArchiveReader::Entry> file = reader.next()) {
    const bool is_file = file->target.empty();
    const bool holds_table = is_file && is_table(file->name) && without_gz(file->name) == file->name;
    std::optional<Sample> sample = classify(file->name);
    if (!holds_table && !sample) continue;
    if (is_hidden(file->name)) {
      ++contents.hidden;
      continue;
    }
    if (holds_table) {
      contents.tables[normal_path(file->name)] = reader.data(options.total_limit);
      continue;
    }
    if (!is_file) {
      links.emplace_back(*file, *std::move(sample));
      continue;
    }
    set_file(*sample, reader.data(options.text_limit), options, path + ": " + file->name);
    places[normal_path(file->name)] = samples.size();
    samples.push_back(std::move(*sample));
  }
  // Links can point to links, in any order.
  for (bool found = true; found && !links.empty();) {
    found = false;
    for (auto link = links.begin(); link != links.end();) {
      const auto place = places.find(link->first.target);
      if (place == places.end()) {
        ++link;
        continue;
      }
      link->second.text = samples[place->second].text;
      places[normal_path(link->first.name)] = samples.size();
      samples.push_back(std::move(link->second));
      link = links.erase(link);
      found = true;
    }
  }
  if (!links.empty())
    reject(path + ": " + links.front().first.name, "a link to a text in the archive",
           "one to " + links.front().first.target);
  return contents;
}

}  // namespace attn::classifier
