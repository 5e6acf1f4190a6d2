// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace attn::classifier {

// Reads a file from its beginning, through gzip's decompression if it is compressed so. zlib verifies the checksum, which
// libarchive does not.
class GzipFile {
 public:
  // Throws Failure naming `path` if it is not a regular file that can be opened, and in read() if it unpacks to more than
  // `most` bytes.
  GzipFile(const std::string& path, std::int64_t most);
  ~GzipFile();
  GzipFile(const GzipFile&) = delete;
  GzipFile& operator=(const GzipFile&) = delete;

  // Reads up to `count` bytes; 0 at the end. Throws Failure naming the path if the file is damaged or truncated.
  std::size_t read(void* bytes, std::size_t count);

 private:
  std::string path_;
  std::int64_t most_, total_ = 0;
  gzFile file_;
};

}  // namespace attn::classifier
