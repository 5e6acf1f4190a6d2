// SPDX-License-Identifier: Apache-2.0
#include "classifier/train/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "classifier/console.h"

namespace attn::classifier {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

// Of the terminal; 80 if it does not say.
std::int64_t columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Progress::Progress(std::string what, std::int64_t total, std::int64_t done_before)
    : what_(std::move(what)),
      total_(total),
      done_(done_before),
      done_before_(done_before),
      terminal_(isatty(STDERR_FILENO) != 0),
      start_(Clock::now()),
      // A terminal shows the first update at once; a log gets its first line after ten seconds.
      drawn_(terminal_ ? Clock::time_point() : start_) {}

void Progress::update(std::int64_t done, const std::string& figures) {
  done_ = done;
  const Clock::time_point now = Clock::now();
  if (seconds_between(drawn_, now) < (terminal_ ? 0.1 : 10.0)) return;
  drawn_ = now;
  if (terminal_)
    print_note("\r{}\033[K", line(figures, true));
  else
    print("{}\n", line(figures, false));
}

void Progress::finish(const std::string& figures) {
  if (terminal_) print_note("\r\033[K");
  print("{}\n", line(figures, false));
}

std::string Progress::line(const std::string& figures, bool bar) const {
  const double elapsed = std::max(seconds_between(start_, Clock::now()), 1e-9);
  const double rate = static_cast<double>(done_ - done_before_) / elapsed;
  std::string text = fmt::format("{}/{}  {}  {:.0f}{}", done_, total_, figures, rate, bar ? "/s" : " reviews/s");
  if (done_ < total_ && rate > 0)
    text += fmt::format("  {} left", duration(static_cast<double>(total_ - done_) / rate));
  else
    text += fmt::format("  {}", duration(elapsed));
  const std::int64_t room = columns() - 1 - static_cast<std::int64_t>(what_.size() + 4 + text.size());
  constexpr std::int64_t kNarrowest = 4, kWidest = 24;
  if (!bar || room < kNarrowest) return what_ + "  " + text;
  const std::int64_t width = std::min(room, kWidest);
  const std::int64_t filled = total_ > 0 ? width * done_ / total_ : width;
  std::string drawn;
  for (std::int64_t i = 0; i < width; ++i) drawn += i < filled ? "█" : "░";
  return what_ + "  " + drawn + "  " + text;
}

std::string duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::max(seconds, 0.0) + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace attn::classifier
