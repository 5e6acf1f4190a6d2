// SPDX-License-Identifier: Apache-2.0
#include "classifier/data/gzip_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <new>

#include "classifier/failure.h"
#include "classifier/input_file.h"

namespace attn::classifier {

GzipFile::GzipFile(const std::string& path, std::int64_t most) : path_(path), most_(most), file_(nullptr) {
  const InputFile input(path, "a readable file");
  const int descriptor = ::fcntl(input.descriptor(), F_DUPFD_CLOEXEC, 0);
  if (descriptor < 0) reject(path, "a readable file", std::strerror(errno));
  file_ = gzdopen(descriptor, "rb");
  if (file_ == nullptr) {
    ::close(descriptor);
    throw std::bad_alloc();
  }
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
