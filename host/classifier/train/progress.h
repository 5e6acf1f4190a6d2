// SPDX-License-Identifier: Apache-2.0
//
// How far long work is: a bar redrawn in place on a terminal, a plain line now and then in a log.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace attn {

class Progress {
 public:
  // `what` stands in front, such as "Epoch 1/5"; `total` counts reviews. Writes to standard error where that is a
  // terminal, else to standard output.
  Progress(std::string what, std::int64_t total, std::int64_t done_before = 0);

  // `done` reviews of the total; `figures` such as "loss 0.3512  accuracy 0.8512". Draws at most ten times a second on a
  // terminal and every ten seconds in a log.
  void update(std::int64_t done, const std::string& figures);

  // The last line stays.
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

}  // namespace attn
