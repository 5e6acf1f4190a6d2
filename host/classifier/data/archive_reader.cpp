// SPDX-License-Identifier: Apache-2.0
#include "classifier/data/archive_reader.h"

#include <archive_entry.h>

#include <cerrno>
#include <filesystem>
#include <new>

#include "classifier/failure.h"

namespace attn::classifier {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExpected = "a complete tar archive (plain, gz or xz)";

// In the C locale libarchive gives a name that is not ASCII in only one of two ways.
std::string text(const char* local, const char* utf8) { return local != nullptr ? local : utf8 != nullptr ? utf8 : ""; }

}  // namespace

std::string normal_path(const std::string& path) { return fs::path(path).lexically_normal().string(); }

ArchiveReader::ArchiveReader(const std::string& path, std::int64_t most_in_all, std::int64_t most_per_file)
    : path_(path),
      most_in_all_(most_in_all),
      most_per_file_(most_per_file),
      file_(path, most_in_all),
      reader_(archive_read_new()) {
  if (reader_ == nullptr) throw std::bad_alloc();
  archive_read_support_filter_xz(reader_.get());
  archive_read_support_format_tar(reader_.get());
  if (archive_read_open(reader_.get(), this, nullptr, read, nullptr) != ARCHIVE_OK) fail();
}

la_ssize_t ArchiveReader::read(archive* reader, void* self, const void** bytes) {
  auto& us = *static_cast<ArchiveReader*>(self);
  *bytes = us.buffer_.data();
  try {
    return static_cast<la_ssize_t>(us.file_.read(us.buffer_.data(), us.buffer_.size()));
  } catch (const std::exception& error) {
    us.failure_ = error.what();
    archive_set_error(reader, EIO, "%s", error.what());
    return ARCHIVE_FATAL;
  }
}

std::optional<ArchiveReader::Entry> ArchiveReader::next() {
  archive_entry* entry = nullptr;
  while (true) {
    if (entry_open_ && archive_read_data_skip(reader_.get()) != ARCHIVE_OK) fail();
    const la_int64_t entry_end = archive_filter_bytes(reader_.get(), 0);
    const int result = archive_read_next_header(reader_.get(), &entry);
    if (result == ARCHIVE_EOF) return require_complete(entry_end), std::nullopt;
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) fail();
    entry_open_ = true;
    name_ = text(archive_entry_pathname(entry), archive_entry_pathname_utf8(entry));
    const std::string hard = text(archive_entry_hardlink(entry), archive_entry_hardlink_utf8(entry));
    const std::string symbolic = text(archive_entry_symlink(entry), archive_entry_symlink_utf8(entry));
    if (name_.empty()) continue;
    if (!hard.empty()) return Entry{name_, normal_path(hard)};
    if (!symbolic.empty()) return Entry{name_, normal_path((fs::path(name_).parent_path() / symbolic).string())};
    if (archive_entry_filetype(entry) == AE_IFREG) return Entry{name_, ""};
  }
}

std::string ArchiveReader::data() {
  std::string content;
  const void* block = nullptr;
  std::size_t bytes = 0;
  la_int64_t offset = 0;
  int result = ARCHIVE_OK;
  while ((result = archive_read_data_block(reader_.get(), &block, &bytes, &offset)) == ARCHIVE_OK) {
    content.append(static_cast<const char*>(block), bytes);
    total_ += static_cast<std::int64_t>(bytes);
    if (static_cast<std::int64_t>(content.size()) > most_per_file_)
      reject(path_ + ": " + name_, "at most " + std::to_string(most_per_file_) + " bytes (see --text-limit)", "more");
    if (total_ > most_in_all_)
      reject(path_, "at most " + std::to_string(most_in_all_) + " bytes when unpacked (see --total-limit)", "more");
  }
  if (result != ARCHIVE_EOF) fail();
  return content;
}

// libarchive takes the end of the file after an entry for the end of the archive; a complete archive has zeros there. What
// follows them is read for the checksum.
void ArchiveReader::require_complete(la_int64_t last_entry_end) {
  if (archive_filter_bytes(reader_.get(), 0) == last_entry_end)
    reject(path_, kExpected, "a truncated one: its end mark is missing");
  while (file_.read(buffer_.data(), buffer_.size()) > 0) continue;
}

void ArchiveReader::fail() {
  if (!failure_.empty()) throw Failure(ATTN_INVALID_ARGUMENT, failure_);
  const char* reason = archive_error_string(reader_.get());
  reject(path_, kExpected, reason != nullptr ? reason : "an unreadable file");
}

}  // namespace attn::classifier
