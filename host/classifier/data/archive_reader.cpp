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

constexpr const char* kExpected = "a complete zip archive or tar archive (plain, gz or xz)";

// A zip archive ends with a record of 22 bytes, which begins with this mark, and a comment of at most 65535.
constexpr const char* kZipEndMark = "PK\5\6";
constexpr std::size_t kZipEnd = 22, kTail = kZipEnd + 65535;

bool ends_as_zip(const std::string& tail) {
  const std::size_t mark = tail.rfind(kZipEndMark);
  return mark != std::string::npos && mark + kZipEnd <= tail.size();
}

// In the C locale libarchive gives a name that is not ASCII in only one of two ways.
std::string text(const char* local, const char* utf8) { return local != nullptr ? local : utf8 != nullptr ? utf8 : ""; }

}  // namespace

std::string normal_path(const std::string& path) { return fs::path(path).lexically_normal().string(); }

ArchiveReader::ArchiveReader(const std::string& path, std::int64_t most_in_all)
    : path_(path), most_in_all_(most_in_all), file_(path, most_in_all), reader_(archive_read_new()) {
  if (reader_ == nullptr) throw std::bad_alloc();
  archive_read_support_filter_xz(reader_.get());
  archive_read_support_format_tar(reader_.get());
  archive_read_support_format_zip(reader_.get());
  if (archive_read_open(reader_.get(), this, nullptr, read, nullptr) != ARCHIVE_OK) fail();
}

// Reads the next bytes to the buffer; 0 at the end.
std::size_t ArchiveReader::fill() {
  const std::size_t count = file_.read(buffer_.data(), buffer_.size());
  tail_.append(buffer_.data(), count);
  if (tail_.size() > kTail) tail_.erase(0, tail_.size() - kTail);
  return count;
}

la_ssize_t ArchiveReader::read(archive* reader, void* self, const void** bytes) {
  auto& us = *static_cast<ArchiveReader*>(self);
  *bytes = us.buffer_.data();
  try {
    return static_cast<la_ssize_t>(us.fill());
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

std::string ArchiveReader::data(std::int64_t most) {
  std::string content;
  const void* block = nullptr;
  std::size_t bytes = 0;
  la_int64_t offset = 0;
  int result = ARCHIVE_OK;
  while ((result = archive_read_data_block(reader_.get(), &block, &bytes, &offset)) == ARCHIVE_OK) {
    content.append(static_cast<const char*>(block), bytes);
    total_ += static_cast<std::int64_t>(bytes);
    if (total_ > most_in_all_)
      reject(path_, "at most " + std::to_string(most_in_all_) + " bytes when unpacked (see --total-limit)", "more");
    if (static_cast<std::int64_t>(content.size()) > most)
      reject(path_ + ": " + name_, "at most " + std::to_string(most) + " bytes (see --text-limit)", "more");
  }
  if (result != ARCHIVE_EOF) fail();
  return content;
}

// libarchive takes the end of the file after an entry for the end of the archive; a complete tar archive has zeros there, and
// a zip archive a list of its entries and an end mark. All of it is read, for the checksum of gzip.
void ArchiveReader::require_complete(la_int64_t last_entry_end) {
  const bool is_zip = (archive_format(reader_.get()) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP;
  const bool tar_ended = archive_filter_bytes(reader_.get(), 0) != last_entry_end;
  while (fill() > 0) continue;
  if (!(is_zip ? ends_as_zip(tail_) : tar_ended)) reject(path_, kExpected, "a truncated one: its end mark is missing");
}

void ArchiveReader::fail() {
  if (!failure_.empty()) throw Failure(ATTN_INVALID_ARGUMENT, failure_);
  const char* reason = archive_error_string(reader_.get());
  reject(path_, kExpected, reason != nullptr ? reason : "an unreadable file");
}

}  // namespace attn::classifier
