// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace attn::classifier {

constexpr std::size_t kMostLines = 512;  // read and processed at a time

// Reads lines from a file or pipe, several at a time where they are there already. A program that writes a line and waits
// for the answer gets it at once.
class LineReader {
 public:
  // `path` names a file; "-" is standard input. Throws Failure if it cannot be opened.
  explicit LineReader(const std::string& path);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // Waits for the next line and returns it with those that follow it without a wait, at most `most`, without line ends
  // ("\n" or "\r\n"). Empty at the end. Throws Failure if reading fails.
  std::vector<std::string> next(std::size_t most);

  const std::string& name() const { return name_; }  // for messages

 private:
  bool wait_for_more(bool at_once);

  std::string name_;
  int descriptor_;
  std::string buffer_;
  bool ended_ = false;
};

}  // namespace attn::classifier
