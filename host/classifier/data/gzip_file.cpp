// SPDX-License-Identifier: Apache-2.0
#include "classifier/data/gzip_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>

#include "classifier/failure.h"

namespace attn::classifier {

GzipFile::GzipFile(const std::string& path, std::int64_t most) : path_(path), most_(most), file_(nullptr) {
  if (!std::filesystem::is_regular_file(path)) reject(path, "a readable file", "something that is not a regular file");
  errno = 0;
  file_ = gzopen(path.c_str(), "rbe");
  if (file_ == nullptr) reject(path, "a readable file", errno != 0 ? std::strerror(errno) : "no memory to read it");
  gzbuffer(file_, 1U << 16);
}

GzipFile::~GzipFile() { gzclose_r(file_); }

std::size_t GzipFile::read(void* bytes, std::size_t count) {
  constexpr std::size_t kMost = std::numeric_limits<int>::max();
  const int got = gzread(file_, bytes, static_cast<unsigned>(std::min(count, kMost)));
  int error = Z_OK;
  const char* reason = gzerror(file_, &error);
  if (error == Z_ERRNO) reason = std::strerror(errno);
  if (got < 0 || (error != Z_OK && error != Z_STREAM_END))
    reject(path_, "a complete and undamaged file", error == Z_BUF_ERROR ? "a truncated one" : reason);
  total_ += got;
  if (total_ > most_)
    reject(path_, "at most " + std::to_string(most_) + " bytes when unpacked (see --total-limit)", "more");
  return static_cast<std::size_t>(got);
}

}  // namespace attn::classifier
