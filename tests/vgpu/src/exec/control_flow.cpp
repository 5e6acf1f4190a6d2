// SPDX-License-Identifier: Apache-2.0
//
// The effects of branches, calls, returns and exits on the splits of a warp.
#include <algorithm>

#include "exec/block.h"
#include "exec/warp.h"

namespace vgpu {

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
  Frame& callee = frames_.enter(*this, function, &caller, active_);
  callee.call = &code;
  callee.return_pc = split().pc;
  const std::vector<Site>& parameters = function.parameters;
  for (std::size_t i = 0; i < data.arguments.size() && i < parameters.size(); ++i)
    frames_.copy_local(active_, caller.local_base + data.arguments[i].offset, callee.local_base + parameters[i].offset,
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
    frames_.copy_local(active_, callee.local_base + results[i].offset, caller.local_base + data.results[i].offset,
                       std::min(data.results[i].size, results[i].size));

  const std::uint32_t return_pc = callee.return_pc;
  frames_.leave(callee, active_);
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

void Warp::exit_lanes() {
  block_->note_change();
  alive_ &= ~active_;
  frames_.leave_all(split().frame, active_);
  split().lanes &= ~active_;
  if (split().lanes == 0) splits_.erase(splits_.begin() + static_cast<std::ptrdiff_t>(current_));
  reschedule_ = true;
}

}  // namespace vgpu
