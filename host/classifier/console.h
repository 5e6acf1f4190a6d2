// SPDX-License-Identifier: Apache-2.0
//
// Standard output, for results, and standard error, for notes, warnings and progress bars.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string_view>
#include <utility>

namespace attn::classifier {

// Standard output cannot take a result: it is closed, its reader is gone, or its disk is full.
class OutputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// To be called before the program opens any file. Descriptors 0 to 2 that are closed are reserved, so that no file gets
// their numbers and receives the program's messages. SIGPIPE and SIGXFSZ are ignored, so that a reader that leaves causes an
// OutputError, and a file that grows beyond the limit of the process an error like that of a full disk.
void prepare_standard_streams();

// Writes the text before it returns. Throws OutputError.
void write_output(std::string_view text);

// A closed or full standard error loses the text, which is no reason to end the work.
void write_note(std::string_view text) noexcept;

template <class... Args>
void print(fmt::format_string<Args...> format, Args&&... args) {
  write_output(fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void print_note(fmt::format_string<Args...> format, Args&&... args) {
  write_note(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace attn::classifier
