// SPDX-License-Identifier: Apache-2.0
//
// Reads a folder of text files, and the same folder in a tar archive.
#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <memory>
#include <new>
#include <optional>
#include <unordered_map>
#include <utility>

#include "classifier/data/source.h"
#include "classifier/data/tokenizer.h"
#include "classifier/failure.h"
#include "classifier/input_file.h"

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

// Hidden files and folders, which editors and file managers leave, such as "._0_3.txt" and ".ipynb_checkpoints", and the
// folder in which macOS puts what archives of other systems cannot hold.
bool is_hidden(std::string_view path) {
  while (!path.empty()) {
    const std::string_view name = take_last(path);
    if ((name.size() > 1 && name.front() == '.' && name != "..") || name == "__MACOSX") return true;
  }
  return false;
}

// The part, label and origin of a text file by its path, [.../][train/|valid/|test/]LABEL/NAME.txt; empty for any other
// file and for IMDB's unlabelled part. Folders and archives share this rule.
std::optional<Sample> classify(std::string_view file) {
  std::string_view rest = file;
  const std::string_view name = take_last(rest), label = take_last(rest), part = take_last(rest);
  if (!ends_with(name, ".txt") || is_hidden(file)) return std::nullopt;
  if (label.empty() || label == "." || label == "unsup" || !part_named(label).empty()) return std::nullopt;
  Sample sample;
  sample.part = part_named(part);
  sample.label = label;
  sample.origin = (sample.part.empty() ? "" : sample.part + "/") + sample.label + "/" + std::string(name);
  return sample;
}

struct ArchiveCloser {
  void operator()(archive* reader) const { archive_read_free(reader); }
};

class TarReader {
 public:
  explicit TarReader(const std::string& path) : path_(path), reader_(archive_read_new()) {
    if (reader_ == nullptr) throw std::bad_alloc();
    archive_read_support_filter_gzip(reader_.get());
    archive_read_support_filter_xz(reader_.get());
    archive_read_support_format_tar(reader_.get());
    constexpr std::size_t kBlock = std::size_t{1} << 16;
    if (archive_read_open_filename(reader_.get(), path.c_str(), kBlock) != ARCHIVE_OK) fail();
  }

  struct Entry {
    std::string name;
    std::string target;  // of a link, relative to the root of the archive; empty for a regular file
  };

  // Advances to the next regular file or link; empty at the end.
  std::optional<Entry> next() {
    archive_entry* entry = nullptr;
    while (true) {
      if (entry_open_ && archive_read_data_skip(reader_.get()) != ARCHIVE_OK) fail();
      const la_int64_t entry_end = archive_filter_bytes(reader_.get(), 0);
      const int result = archive_read_next_header(reader_.get(), &entry);
      if (result == ARCHIVE_EOF) return require_end_mark(entry_end), std::nullopt;
      if (result != ARCHIVE_OK && result != ARCHIVE_WARN) fail();
      entry_open_ = true;
      const std::string name = text(archive_entry_pathname(entry), archive_entry_pathname_utf8(entry));
      const std::string hard = text(archive_entry_hardlink(entry), archive_entry_hardlink_utf8(entry));
      const std::string symbolic = text(archive_entry_symlink(entry), archive_entry_symlink_utf8(entry));
      if (name.empty()) continue;
      if (!hard.empty()) return Entry{name, normal(hard)};
      if (!symbolic.empty()) return Entry{name, normal(fs::path(name).parent_path() / symbolic)};
      if (archive_entry_filetype(entry) == AE_IFREG) return Entry{name, ""};
    }
  }

  // Reads until the data ends, because the size in a damaged header can be wrong.
  std::string data() {
    std::string text;
    const void* block = nullptr;
    std::size_t bytes = 0;
    la_int64_t offset = 0;
    int result = ARCHIVE_OK;
    while ((result = archive_read_data_block(reader_.get(), &block, &bytes, &offset)) == ARCHIVE_OK)
      text.append(static_cast<const char*>(block), bytes);
    if (result != ARCHIVE_EOF) fail();
    return text;
  }

  static std::string normal(const fs::path& path) { return path.lexically_normal().string(); }

 private:
  // In the C locale libarchive gives a name that is not ASCII in only one of two ways.
  static std::string text(const char* local, const char* utf8) {
    return local != nullptr ? local : utf8 != nullptr ? utf8 : "";
  }

  // libarchive takes the end of the file after an entry for the end of the archive; a complete archive has zeros there.
  void require_end_mark(la_int64_t last_entry_end) {
    if (archive_filter_bytes(reader_.get(), 0) == last_entry_end)
      reject(path_, "a complete tar archive (plain, gz or xz)", "a truncated one: its end mark is missing");
  }

  [[noreturn]] void fail() {
    const char* reason = archive_error_string(reader_.get());
    reject(path_, "a complete tar archive (plain, gz or xz)", reason != nullptr ? reason : "an unreadable file");
  }

  std::string path_;
  std::unique_ptr<archive, ArchiveCloser> reader_;
  bool entry_open_ = false;
};

void set_file(Sample& sample, std::string content, const ReadOptions& options, const std::string& where) {
  require_utf8(sample.origin, "the name of " + where);
  sample.text = decoded(std::move(content), options.encoding, where);
}

}  // namespace

std::string read_content(const std::string& path) {
  InputFile file(path, "a readable file");
  std::string content(static_cast<std::size_t>(file.size()), '\0');
  file.read(content.data(), content.size());
  return content;
}

std::string_view without_mark(std::string_view text) {
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) text.remove_prefix(kByteOrderMark.size());
  return text;
}

std::vector<std::string> list_texts(const std::string& folder) {
  constexpr int kDeepest = 3;  // aclImdb/train/neg, if the folder that contains aclImdb is given
  std::vector<std::string> files;
  for (auto entry = fs::recursive_directory_iterator(folder, fs::directory_options::follow_directory_symlink);
       entry != fs::recursive_directory_iterator(); ++entry) {
    if (!entry->is_directory()) {
      const std::string& file = entry->path().native();
      if (classify(std::string_view(file).substr(folder.size()))) files.push_back(file);
    } else if (entry.depth() >= kDeepest) {
      entry.disable_recursion_pending();
    }
  }
  return files;
}

Sample read_text(const std::string& folder, const std::string& file, const ReadOptions& options) {
  Sample sample = classify(std::string_view(file).substr(folder.size())).value();
  set_file(sample, read_content(file), options, file);
  return sample;
}

std::vector<Sample> read_archive(const std::string& path, const ReadOptions& options) {
  TarReader reader(path);
  std::vector<Sample> samples;
  std::unordered_map<std::string, std::size_t> places;  // in `samples`, by path in the archive
  std::vector<std::pair<TarReader::Entry, Sample>> links;
  while (const std::optional<TarReader::Entry> file = reader.next()) {
    std::optional<Sample> sample = classify(file->name);
    if (!sample) continue;
    if (!file->target.empty()) {
      links.emplace_back(*file, *std::move(sample));
      continue;
    }
    set_file(*sample, reader.data(), options, path + ": " + file->name);
    places[TarReader::normal(file->name)] = samples.size();
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
      places[TarReader::normal(link->first.name)] = samples.size();
      samples.push_back(std::move(link->second));
      link = links.erase(link);
      found = true;
    }
  }
  if (!links.empty())
    reject(path + ": " + links.front().first.name, "a link to a text in the archive",
           "one to " + links.front().first.target);
  return samples;
}

}  // namespace attn::classifier
