// SPDX-License-Identifier: Apache-2.0
//
// Progress of long work: a bar redrawn in place on a terminal, a plain line from time to time in a log.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace attn::classifier {

class Progress {
 public:
  // `what` is the label, such as "Epoch 1/5"; `total` and `done_before` count reviews. Writes to standard error if that is
  // a terminal, otherwise to standard output.
  Progress(std::string what, std::int64_t total, std::int64_t done_before = 0);

  // Reports `done` reviews of the total, with figures such as "loss 0.3512  accuracy 0.8512". Prints at most ten times a
  // second on a terminal and once in ten seconds in a log.
  void update(std::int64_t done, const std::string& figures);

  // Prints the last line, which remains visible.
  void finish(const std::string& figures);

 private:
  std::string line(const std::string& figures, bool bar) const;

  std::string what_;
  std::int64_t total_, done_, done_before_;
  bool terminal_;
  std::chrono::steady_clock::time_point start_, drawn_;
};

// "1:02:03", "2:03", "9 s".
std::string duration(double seconds);

}  // namespace attn::classifier
