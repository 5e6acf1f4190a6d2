// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <archive.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "classifier/data/gzip_file.h"

namespace attn::classifier {

// Reads a tar archive (plain, gz, xz) or a zip archive from its beginning. Every function throws Failure naming the archive if it is
// damaged or truncated.
class ArchiveReader {
 public:
  // The archive may unpack to at most so many bytes.
  ArchiveReader(const std::string& path, std::int64_t most_in_all);

  struct Entry {
    std::string name;
    std::string target;  // of a link, relative to the root of the archive; empty for a regular file
  };

  // Advances to the next regular file or link; empty at the end, once the checksum of the archive was verified.
  std::optional<Entry> next();

  // The content of the current entry, of at most so many bytes. Reads until the data ends, because the size in a damaged
  // header can be wrong.
  std::string data(std::int64_t most);

 private:
  struct Closer {
    void operator()(archive* reader) const { archive_read_free(reader); }
  };

  static la_ssize_t read(archive* reader, void* self, const void** bytes);
  std::size_t fill();
  void require_complete(la_int64_t last_entry_end);
  [[noreturn]] void fail();

  std::string path_;
  std::int64_t most_in_all_, total_ = 0;
  GzipFile file_;
  std::string failure_;  // of file_, which must not be thrown through libarchive
  std::array<char, 1 << 16> buffer_{};
  std::string tail_;  // the last bytes that were read
  std::unique_ptr<archive, Closer> reader_;
  bool entry_open_ = false;
  std::string name_;  // of the current entry
};

// The path without "." and "..", as links and names are compared.
std::string normal_path(const std::string& path);

}  // namespace attn::classifier
