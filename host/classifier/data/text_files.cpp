// SPDX-License-Identifier: Apache-2.0
//
// Reads a folder of text files, and the same folder in a tar archive.
#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <new>
#include <optional>

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

bool is_part(std::string_view name) { return name == "train" || name == "test"; }

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// The part, label and origin of a text file by its path, [.../][train/|test/]LABEL/NAME.txt; empty for any other file
// and for IMDB's unlabelled part. Folders and archives share this rule.
std::optional<Sample> classify(std::string_view file) {
  std::string_view rest = file;
  const std::string_view name = take_last(rest), label = take_last(rest), part = take_last(rest);
  // A leading dot marks files that file managers leave, such as "._0_3.txt".
  if (!ends_with(name, ".txt") || name.front() == '.') return std::nullopt;
  if (label.empty() || label == "." || label == "unsup" || is_part(label)) return std::nullopt;
  Sample sample;
  sample.part = is_part(part) ? part : "";
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

  // Advances to the next regular file and returns its name; empty at the end.
  std::optional<std::string> next() {
    archive_entry* entry = nullptr;
    while (true) {
      if (entry_open_ && archive_read_data_skip(reader_.get()) != ARCHIVE_OK) fail();
      const la_int64_t entry_end = archive_filter_bytes(reader_.get(), 0);
      const int result = archive_read_next_header(reader_.get(), &entry);
      if (result == ARCHIVE_EOF) return require_end_mark(entry_end), std::nullopt;
      if (result != ARCHIVE_OK && result != ARCHIVE_WARN) fail();
      entry_open_ = true;
      if (archive_entry_filetype(entry) != AE_IFREG) continue;
      // In the C locale only one of the two functions returns a name that is not ASCII.
      const char* name = archive_entry_pathname(entry);
      if (name == nullptr) name = archive_entry_pathname_utf8(entry);
      if (name != nullptr) return name;
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

 private:
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

void set_file(Sample& sample, const std::string& content, const std::string& where) {
  require_utf8(sample.origin, "the name of " + where);
  require_utf8(content, where);
  sample.text = without_mark(content);
}

}  // namespace

std::string read_content(const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error))
    reject(path, "a readable file", error ? error.message() : "something that is not a regular file");
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) reject(path, "a readable file", std::strerror(errno));
  std::string content(static_cast<std::size_t>(fs::file_size(path)), '\0');
  if (!stream.read(content.data(), static_cast<std::streamsize>(content.size())))
    reject(path, "a readable file", "an error after " + std::to_string(stream.gcount()) + " bytes");
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

Sample read_text(const std::string& folder, const std::string& file) {
  Sample sample = classify(std::string_view(file).substr(folder.size())).value();
  set_file(sample, read_content(file), file);
  return sample;
}

std::vector<Sample> read_archive(const std::string& path) {
  TarReader reader(path);
  std::vector<Sample> samples;
  while (const std::optional<std::string> file = reader.next()) {
    std::optional<Sample> sample = classify(*file);
    if (!sample) continue;
    set_file(*sample, reader.data(), path + ": " + *file);
    samples.push_back(std::move(*sample));
  }
  return samples;
}

}  // namespace attn::classifier
