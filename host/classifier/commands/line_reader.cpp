// SPDX-License-Identifier: Apache-2.0
#include "classifier/commands/line_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "classifier/failure.h"

namespace attn::classifier {

LineReader::LineReader(const std::string& path)
    : name_(path == "-" ? "standard input" : path),
      descriptor_(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) refuse(path, std::string("cannot be opened: ") + std::strerror(errno));
}

LineReader::~LineReader() {
  if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
}

std::vector<std::string> LineReader::next(std::size_t most) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  while (lines.size() < most) {
    const std::size_t end = buffer_.find('\n', begin);
    if (end == std::string::npos) {
      buffer_.erase(0, begin);
      begin = 0;
      if (wait_for_more(!lines.empty())) continue;
      if (!ended_ || buffer_.empty()) break;
      lines.push_back(std::move(buffer_));  // a last line without an end
      buffer_.clear();
      break;
    }
    std::size_t length = end - begin;
    if (length > 0 && buffer_[end - 1] == '\r') --length;
    lines.push_back(buffer_.substr(begin, length));
    begin = end + 1;
  }
  buffer_.erase(0, begin);
  return lines;
}

// Adds what can be read to the buffer. Returns false at the end, and if `at_once`, also if that would mean waiting.
bool LineReader::wait_for_more(bool at_once) {
  if (ended_) return false;
  pollfd ready = {descriptor_, POLLIN, 0};
  if (at_once && ::poll(&ready, 1, 0) <= 0) return false;
  std::array<char, 65536> bytes;
  ssize_t count = 0;
  do count = ::read(descriptor_, bytes.data(), bytes.size());
  while (count < 0 && errno == EINTR);
  if (count < 0) refuse(name_, std::string("cannot be read: ") + std::strerror(errno));
  ended_ = count == 0;
  buffer_.append(bytes.data(), static_cast<std::size_t>(count));
  return !ended_;
}

}  // namespace attn::classifier
