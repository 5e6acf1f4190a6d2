// SPDX-License-Identifier: Apache-2.0
#include "exec/warp.h"

#include <algorithm>
#include <limits>

#include "exec/block.h"
#include "exec/sync_hooks.h"

namespace vgpu {
namespace {

constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

}  // namespace

Warp::Warp(Block& block, unsigned index, Mask lanes) : block_(&block), index_(index), alive_(lanes) {
  Split split;
  split.lanes = lanes;
  splits_.push_back(split);
  code_ = block.grid().kernel->code.data();
  active_ = lanes;
  splits_[0].frame = &frames_.enter(*this, *block.grid().kernel, nullptr, lanes);
}

std::array<std::uint32_t, 3> Warp::thread_of(unsigned lane) const {
  const Dim3& size = block_->launch().block;
  const std::uint32_t linear = index_ * kLanes + lane;
  return {linear % size.x, linear / size.x % size.y, linear / (size.x * size.y)};
}

void Warp::merge_splits() {
  for (std::size_t i = 0; i < splits_.size(); ++i)
    for (std::size_t j = splits_.size() - 1; j > i; --j) {
      Split& a = splits_[i];
      const Split& b = splits_[j];
      if (a.frame != b.frame || a.pc != b.pc || a.woken != b.woken) continue;
      if (a.wait == Split::Wait::kBarrier || b.wait == Split::Wait::kBarrier) continue;
      if (a.wait == Split::Wait::kGather && b.wait == Split::Wait::kGather && a.wanted != b.wanted) continue;
      a.lanes |= b.lanes;
      a.turn = std::max(a.turn, b.turn);
      if (b.wait != Split::Wait::kGather) a.wait = Split::Wait::kNone;
      splits_.erase(splits_.begin() + static_cast<std::ptrdiff_t>(j));
    }
  for (Split& split : splits_)
    if (split.wait == Split::Wait::kGather && (split.wanted & alive_ & ~split.lanes) == 0)
      split.wait = Split::Wait::kNone;
}

// Lanes may meet at different bar.warp.sync instructions, provided that each of them has the same member mask.
bool Warp::release_warp_barriers() {
  for (const Split& split : splits_) {
    if (split.wait != Split::Wait::kGather || !is_warp_barrier(split)) continue;
    Mask come = 0;
    for (const Split& other : splits_)
      if (other.wait == Split::Wait::kGather && is_warp_barrier(other) && other.wanted == split.wanted)
        come |= other.lanes;
    if ((split.wanted & alive_ & ~come) != 0) continue;
    const Mask wanted = split.wanted;
    meet(*this, wanted);
    for (Split& other : splits_)
      if (other.wait == Split::Wait::kGather && is_warp_barrier(other) && other.wanted == wanted) {
        other.wait = Split::Wait::kNone;
        other.woken = true;
      }
    return true;
  }
  return false;
}

bool Warp::is_warp_barrier(const Split& split) const { return split.frame->function->code[split.pc].warp_barrier; }

bool Warp::choose() {
  if (splits_.size() > 1 || splits_[0].wait != Split::Wait::kNone) {
    merge_splits();
    while (release_warp_barriers()) {
    }
  }
  const auto candidates = std::count_if(splits_.begin(), splits_.end(),
                                        [](const Split& split) { return split.wait == Split::Wait::kNone; });
  if (candidates == 0) return false;
  crowded_ = candidates > 1;
  if (!crowded_) {
    favoured_ = 0;
    streak_ = 0;
  }
  current_ = next_split();
  split().turn = ++turns_;
  registers_ = split().frame->registers;
  stop_ = kNever;
  for (const Split& other : splits_)
    if (&other != &split() && other.frame == split().frame && other.wait != Split::Wait::kBarrier &&
        other.pc > split().pc)
      stop_ = std::min(stop_, other.pc);
  return true;
}

// Prefers the splits that are furthest back in the code, so that lanes reconverge. At regular intervals the split that
// has waited longest is preferred instead.
std::size_t Warp::next_split() {
  if (streak_ >= kPatience) {
    streak_ = 0;
    const Split* longest = nullptr;
    if (favoured_ == 0)
      for (const Split& split : splits_)
        if (split.wait == Split::Wait::kNone && (longest == nullptr || split.turn < longest->turn)) longest = &split;
    favoured_ = longest == nullptr ? 0 : longest->lanes;
  }
  std::size_t best = splits_.size();
  bool best_is_favoured = false;
  for (std::size_t i = 0; i < splits_.size(); ++i) {
    const Split& split = splits_[i];
    if (split.wait != Split::Wait::kNone) continue;
    const bool favoured = (split.lanes & favoured_) != 0;
    if (best < splits_.size()) {
      const Split& other = splits_[best];
      if (favoured != best_is_favoured) {
        if (!favoured) continue;
      } else if (split.frame->depth < other.frame->depth ||
                 (split.frame->depth == other.frame->depth && split.pc >= other.pc)) {
        continue;
      }
    }
    best = i;
    best_is_favoured = favoured;
  }
  return best;
}

std::uint64_t Warp::run(std::uint64_t budget) {
  for (Split& split : splits_)
    if (split.wait == Split::Wait::kYield) split.wait = Split::Wait::kNone;
  looks_ = 0;

  Counters& counters = block_->counters();
  std::uint64_t done = 0;
  while (done < budget && alive_ != 0 && choose()) {
    const Code* codes = split().frame->function->code.data();
    const std::uint64_t before = done;
    const std::uint64_t limit = crowded_ ? std::min(budget, done + kPatience) : budget;
    reschedule_ = false;
    while (!reschedule_ && done < limit) {
      Split& now = splits_[current_];
      const Code& code = codes[now.pc];
      ++now.pc;
      ++done;
      active_ = now.lanes;
      if (code.guard != kNoSlot) active_ &= code.guard_negated ? ~predicate(code.guard) : predicate(code.guard);
      const auto pipe = static_cast<std::size_t>(code.pipe);
      ++counters.warp_instructions[pipe];
      counters.thread_instructions[pipe] += static_cast<unsigned>(__builtin_popcount(active_));
      code_ = &code;
      if (!undefined_.empty()) undefined_.step(*this, now.lanes);
      if (active_ != 0) code.run(*this, code);
      if (!reschedule_ && splits_[current_].pc == stop_) break;
    }
    streak_ += done - before;
  }
  return done;
}

}  // namespace vgpu
