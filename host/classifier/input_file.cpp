// SPDX-License-Identifier: Apache-2.0
#include "classifier/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "classifier/failure.h"

namespace attn::classifier {

InputFile::InputFile(const std::string& path, const std::string& expected)
    : path_(path),
      expected_(expected),
      descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {  // a pipe without a writer would block
  if (descriptor_ < 0) reject(path, expected, std::string("nothing: ") + std::strerror(errno));
  struct stat status = {};
  const int error = ::fstat(descriptor_, &status) == 0 ? 0 : errno;
  if (error == 0 && S_ISREG(status.st_mode)) {
    size_ = static_cast<std::uint64_t>(status.st_size);
    return;
  }
  ::close(descriptor_);
  if (error != 0) reject(path, expected, std::strerror(error));
  reject(path, expected, S_ISDIR(status.st_mode) ? "a folder" : "a device, pipe or socket");
}

InputFile::~InputFile() { ::close(descriptor_); }

void InputFile::read(void* bytes, std::uint64_t count) {
  auto* to = static_cast<char*>(bytes);
  while (count > 0) {
    const ssize_t got = ::read(descriptor_, to, count);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) reject(path_, expected_ + " that can be read", std::strerror(errno));
    if (got == 0) reject(path_, expected_, "one that ends " + std::to_string(count) + " bytes too early");
    to += got;
    count -= static_cast<std::uint64_t>(got);
  }
}

}  // namespace attn::classifier
