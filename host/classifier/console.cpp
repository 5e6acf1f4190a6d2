// SPDX-License-Identifier: Apache-2.0
#include "classifier/console.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include "classifier/write_all.h"

namespace attn::classifier {
void prepare_standard_streams() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  // The lowest free number is the closed descriptor's. Writing to one that is open for reading fails, as it should.
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(descriptor, F_GETFD) < 0 && errno == EBADF) static_cast<void>(::open("/dev/null", O_RDONLY));
}

void write_output(std::string_view text) {
  if (const int error = write_all(STDOUT_FILENO, text); error != 0)
    throw OutputError(std::string("standard output: cannot be written: ") + std::strerror(error));
}

void write_note(std::string_view text) noexcept { write_all(STDERR_FILENO, text); }

}  // namespace attn::classifier
