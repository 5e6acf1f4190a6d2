// SPDX-License-Identifier: Apache-2.0
#include "exec/warp.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "exec/block.h"
#include "exec/sync_hooks.h"

namespace vgpu {
namespace {

constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

std::size_t aligned(std::size_t size, std::size_t to) { return (size + to - 1) / to * to; }

unsigned first_lane(Mask lanes) { return static_cast<unsigned>(__builtin_ctz(lanes)); }

}  // namespace

Warp::Warp(Block& block, unsigned index, Mask lanes) : block_(&block), index_(index), alive_(lanes) {
  Split split;
  split.lanes = lanes;
  splits_.push_back(split);
  code_ = block.grid().kernel->code.data();
  active_ = lanes;
  splits_[0].frame = &new_frame(*block.grid().kernel, nullptr, lanes);
}

std::array<std::uint32_t, 3> Warp::thread_of(unsigned lane) const {
  const Dim3& size = block_->launch().block;
  const std::uint32_t linear = index_ * kLanes + lane;
  return {linear % size.x, linear / size.x % size.y, linear / (size.x * size.y)};
}

// ---- frames ---------------------------------------------------------------------------------------------------------

Frame& Warp::new_frame(const Function& function, Frame* caller, Mask lanes) {
  if (free_frames_.empty()) {
    frames_.push_back(std::make_unique<Frame>());
    free_frames_.push_back(frames_.back().get());
  }
  Frame& frame = *free_frames_.back();
  const std::size_t base = caller == nullptr ? 0 : aligned(caller->local_base + caller->function->local_bytes, 16);
  if (!local_.reserve(base + function.local_bytes))
    block_->fail(*this, first_lane(lanes), Finding::Kind::kStackOverflow,
                 "call of " + function.source->name + ": the local memory of a thread (" +
                     std::to_string(LocalMemory::kMost) + " bytes) does not suffice");
  free_frames_.pop_back();
  undefined_.forget(frame);
  if (function.local_bytes > 0)
    for (unsigned lane = 0; lane < kLanes; ++lane)
      if ((lanes >> lane & 1) != 0) local_.forget(lane, base, function.local_bytes);

  frame.function = &function;
  frame.caller = caller;
  frame.call = nullptr;
  frame.local_base = static_cast<std::uint32_t>(base);
  frame.depth = caller == nullptr ? 0 : caller->depth + 1;
  frame.lanes = lanes;
  if (frame.storage.size() < function.register_bytes + 64) frame.storage.resize(function.register_bytes + 64);
  void* start = frame.storage.data();
  std::size_t room = frame.storage.size();
  frame.registers = static_cast<std::byte*>(std::align(64, function.register_bytes, start, room));
  enter(frame);
  return frame;
}

// Writes the registers that have a value from the start.
void Warp::enter(Frame& frame) {
  const Function& function = *frame.function;
  if (!function.constants.empty())
    std::memcpy(frame.registers + function.constants_begin, function.constants.data(), function.constants.size());
  const auto fill = [&](Slot slot, std::size_t size, auto value_of) {
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      const std::uint64_t value = value_of(lane);
      std::memcpy(frame.registers + slot + lane * size, &value, size);
    }
  };
  for (const Function::FrameAddress& use : function.frame_addresses)
    fill(use.slot, use.size, [&](unsigned) { return std::uint64_t{frame.local_base} + use.offset; });
  for (const Function::SpecialUse& use : function.specials)
    fill(use.slot, use.size, [&](unsigned lane) { return special_value(*this, lane, use.special); });
}

// The lanes are through with their current frame and all its callers.
void Warp::leave_frames(Mask lanes) {
  for (Frame* frame = split().frame; frame != nullptr;) {
    Frame* caller = frame->caller;
    frame->lanes &= ~lanes;
    if (frame->lanes == 0) free_frames_.push_back(frame);
    frame = caller;
  }
}

// ---- control flow ---------------------------------------------------------------------------------------------------

void Warp::jump(std::uint32_t target) {
  Counters& counters = block_->counters();
  ++counters.branches;
  Split& now = split();
  if (active_ == now.lanes) {
    now.pc = target;
  } else {
    ++counters.divergent_branches;
    now.lanes &= ~active_;
    Split taken = now;
    taken.lanes = active_;
    taken.pc = target;
    splits_.push_back(taken);
  }
  reschedule_ = splits_.size() > 1;
}

void Warp::jump_each(const std::array<std::uint32_t, kLanes>& targets) {
  Mask left = active_;
  while (left != 0) {
    const std::uint32_t target = targets[first_lane(left)];
    active_ = 0;
    for (unsigned lane = 0; lane < kLanes; ++lane)
      if ((left >> lane & 1) != 0 && targets[lane] == target) active_ |= Mask{1} << lane;
    left &= ~active_;
    jump(target);
  }
}

void Warp::separate(Mask stay) {
  const Mask others = active_ & ~stay;
  if (others == 0) return;
  Split later = split();
  later.lanes = others;
  --later.pc;
  split().lanes &= ~others;
  splits_.push_back(later);
  active_ = stay;
  reschedule_ = true;
}

void Warp::call(const Code& code, const Function& function) {
  const auto& data = *static_cast<const CallData*>(code.data.get());
  Frame& caller = *split().frame;
  Frame& callee = new_frame(function, &caller, active_);
  callee.call = &code;
  callee.return_pc = split().pc;
  const std::vector<Site>& parameters = function.parameters;
  for (std::size_t i = 0; i < data.arguments.size() && i < parameters.size(); ++i)
    copy_local(caller.local_base + data.arguments[i].offset, callee.local_base + parameters[i].offset,
               std::min(data.arguments[i].size, parameters[i].size));

  if (active_ == split().lanes) {
    split().frame = &callee;
    split().pc = 0;
  } else {
    Split inside = split();
    inside.lanes = active_;
    inside.frame = &callee;
    inside.pc = 0;
    split().lanes &= ~active_;
    splits_.push_back(inside);
  }
  reschedule_ = true;
}

void Warp::return_from_call() {
  Frame& callee = *split().frame;
  if (callee.caller == nullptr) {
    exit_lanes();
    return;
  }
  Frame& caller = *callee.caller;
  const auto& data = *static_cast<const CallData*>(callee.call->data.get());
  const std::vector<Site>& results = callee.function->results;
  for (std::size_t i = 0; i < data.results.size() && i < results.size(); ++i)
    copy_local(callee.local_base + results[i].offset, caller.local_base + data.results[i].offset,
               std::min(data.results[i].size, results[i].size));

  const std::uint32_t return_pc = callee.return_pc;
  callee.lanes &= ~active_;
  if (callee.lanes == 0) free_frames_.push_back(&callee);
  if (active_ == split().lanes) {
    split().frame = &caller;
    split().pc = return_pc;
  } else {
    Split back = split();
    back.lanes = active_;
    back.frame = &caller;
    back.pc = return_pc;
    split().lanes &= ~active_;
    splits_.push_back(back);
  }
  reschedule_ = true;
}

void Warp::copy_local(std::uint32_t from, std::uint32_t to, std::uint32_t size) {
  for (unsigned lane = 0; lane < kLanes; ++lane)
    if ((active_ >> lane & 1) != 0) {
      std::memcpy(local_.bytes(lane, to), local_.bytes(lane, from), size);
      local_.set_initialised(lane, to, size);
    }
}

void Warp::exit_lanes() {
  block_->note_change();
  alive_ &= ~active_;
  leave_frames(active_);
  split().lanes &= ~active_;
  if (split().lanes == 0) splits_.erase(splits_.begin() + static_cast<std::ptrdiff_t>(current_));
  reschedule_ = true;
}

// ---- waiting --------------------------------------------------------------------------------------------------------

bool Warp::gather(Mask wanted) {
  if (split().woken) {
    split().woken = false;
    return true;
  }
  if ((wanted & alive_ & ~active_) == 0) {
    meet(*this, wanted);
    return true;
  }
  split().wait = Split::Wait::kGather;
  split().wanted = wanted;
  --split().pc;
  reschedule_ = true;
  return false;
}

void Warp::wait_for(Mask lanes, Mask wanted) {
  Split waiting = split();
  waiting.lanes = lanes;
  --waiting.pc;
  waiting.wait = Split::Wait::kGather;
  waiting.wanted = wanted;
  active_ &= ~lanes;
  split().lanes &= ~lanes;
  if (split().lanes == 0) {
    split() = waiting;
  } else {
    splits_.push_back(waiting);
  }
  reschedule_ = true;
}

void Warp::wait_at_barrier(unsigned barrier) {
  split().wait = Split::Wait::kBarrier;
  split().barrier = barrier;
  --split().pc;
  reschedule_ = true;
}

void Warp::yield() {
  looks_ += kLooks;
  split().wait = Split::Wait::kYield;
  --split().pc;
  reschedule_ = true;
}

void Warp::wake(unsigned barrier) {
  for (Split& split : splits_)
    if (split.wait == Split::Wait::kBarrier && split.barrier == barrier) {
      split.wait = Split::Wait::kNone;
      split.woken = true;
    }
}

// ---- scheduling -----------------------------------------------------------------------------------------------------

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

// bar.warp.sync lets lanes meet that stand at different ones, as long as each names the same lanes.
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

// Those behind, so that lanes come together; but every so often it is the turn of those that have waited longest.
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
